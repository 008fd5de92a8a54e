/** What the page of a search does by itself: a trial under the pointer is lit wherever it is shown, and its picture stands beside the lines. */

/** Plain script of the page; it reads the data of all trials from the element `trials`. */
export const SEARCH_SCRIPT = `
'use strict';
const trials = new Map(JSON.parse(document.getElementById('trials').textContent).map((trial) => [String(trial.id), trial]));
const marks = document.querySelectorAll('[data-trial]');
const panel = document.getElementById('panel');
const lines = document.querySelector('.lines');

function show(id) {
  const trial = trials.get(id);
  if (!trial || panel.dataset.shown === id) return;
  panel.dataset.shown = id;
  for (const mark of marks) mark.classList.toggle('lit', mark.dataset.trial === id);
  const line = lines.querySelector('.lit');
  if (line) line.parentNode.insertBefore(line, lines.querySelector('.tick'));
  const picture = panel.querySelector('img');
  picture.hidden = trial.file === null;
  if (trial.file !== null) picture.src = trial.file;
  picture.alt = trial.title;
  panel.querySelector('h3').textContent = trial.title;
  panel.querySelector('dl').replaceChildren(...trial.rows.flatMap(([name, value]) => {
    const term = document.createElement('dt');
    const text = document.createElement('dd');
    term.textContent = name;
    text.textContent = value;
    return [term, text];
  }));
}

for (const event of ['pointerover', 'focusin']) {
  document.addEventListener(event, ({ target }) => {
    const mark = target.closest('[data-trial]');
    if (mark) show(mark.dataset.trial);
  });
}
if (panel.dataset.first) show(panel.dataset.first);
`;
