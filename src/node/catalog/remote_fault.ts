/** What an address did wrong. Another address may do better, so it ends one attempt and not the work. */
export class RemoteFault extends Error {
  override readonly name = 'RemoteFault';

  /**
   * @param kind `cut`: the rest may come when it is asked for once more; `away`: nothing came from there;
   *   `wrong`: what has come is not the file, so that nothing of it can be kept
   */
  constructor(
    message: string,
    readonly kind: 'cut' | 'away' | 'wrong' = 'away',
  ) {
    super(message);
  }
}
