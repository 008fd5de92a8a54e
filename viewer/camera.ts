/** The camera as a source of frames: it says why it cannot, and rests while nobody looks. */
import type { Image } from '../src/index.ts';
import { grab } from './picture.ts';

export interface CameraState {
  readonly phase: 'off' | 'asking' | 'live' | 'frozen' | 'failed';
  /** Why it failed, for people. */
  readonly reason: string;
}

const REASONS: Readonly<Record<string, string>> = {
  NotAllowedError: 'The browser did not get permission to use the camera. Allow it in the address bar, then retry.',
  NotFoundError: 'No camera was found.',
  NotReadableError: 'The camera is in use by another program.',
  OverconstrainedError: 'The camera offers no picture size that fits.',
};

export class Camera {
  state: CameraState = { phase: 'off', reason: '' };
  private stream: MediaStream | undefined;
  private readonly video = document.createElement('video');
  private timer = 0;
  private session = 0;

  /**
   * @param frame takes a frame; the next one is taken when its promise is done.
   * @param side pixels that the shorter side of a frame shall have.
   */
  constructor(
    private readonly frame: (image: Image) => Promise<void>,
    private readonly side: () => number,
    private readonly changed: (state: CameraState) => void,
  ) {
    this.video.muted = true;
    this.video.playsInline = true;
  }

  async start(): Promise<void> {
    this.stop();
    const session = ++this.session;
    this.set('asking');
    try {
      if (!navigator.mediaDevices) throw new DOMException('', 'NotFoundError');
      const stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 640 }, height: { ideal: 480 } } });
      if (session !== this.session) return stopStream(stream);
      this.stream = stream;
      const [track] = stream.getVideoTracks();
      track?.addEventListener('ended', () => this.fail(session, 'The camera was unplugged or taken away. The last frame stays.'));
      track?.addEventListener('mute', () => this.fail(session, 'The camera stopped sending pictures. The last frame stays.'));
      this.video.srcObject = stream;
      await this.video.play();
      if (session !== this.session) return;
      this.set('live');
      this.next(session);
    } catch (error) {
      const { name, message } = error as DOMException;
      this.fail(session, REASONS[name] ?? `The camera does not start: ${message || name}`);
    }
  }

  /** Holds the current frame, or goes on. */
  freeze(): void {
    if (this.state.phase === 'live') this.set('frozen');
    else if (this.state.phase === 'frozen') this.set('live');
  }

  stop(): void {
    this.session++;
    cancelAnimationFrame(this.timer);
    if (this.stream) stopStream(this.stream);
    this.stream = undefined;
    this.video.srcObject = null;
    if (this.state.phase !== 'off') this.set('off');
  }

  private fail(session: number, reason: string): void {
    if (session !== this.session) return;
    this.stop();
    this.set('failed', reason);
  }

  // Animation frames rest while the tab is hidden, and so does the camera's picture.
  private next(session: number): void {
    this.timer = requestAnimationFrame(() => void this.take(session));
  }

  private async take(session: number): Promise<void> {
    const { videoWidth, videoHeight } = this.video;
    if (this.state.phase === 'live' && videoWidth > 0) {
      const scale = Math.min(1, this.side() / Math.min(videoWidth, videoHeight));
      await this.frame(grab(this.video, Math.ceil(videoWidth * scale), Math.ceil(videoHeight * scale)));
    }
    if (session === this.session) this.next(session);
  }

  private set(phase: CameraState['phase'], reason = ''): void {
    this.state = { phase, reason };
    this.changed(this.state);
  }
}

function stopStream(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
