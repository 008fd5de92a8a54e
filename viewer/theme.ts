/** Styles that all components share: controls, headings, focus. Colours are the custom properties of page.css. */
import { css } from 'lit';

export const theme = css`
  :host {
    box-sizing: border-box;
    min-width: 0;
  }
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  [hidden] {
    display: none !important;
  }
  h2 {
    margin: 0;
    font-size: 12px;
    font-weight: 600;
    letter-spacing: 0.04em;
    color: var(--dim);
  }
  p {
    margin: 0;
  }
  button,
  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 6px;
    min-height: 32px;
    padding: 0 12px;
    border: 1px solid var(--line);
    border-radius: 6px;
    background: var(--raised);
    color: var(--text);
    font: inherit;
    font-weight: 500;
    white-space: nowrap;
    cursor: pointer;
  }
  button:hover:not(:disabled),
  .button:hover {
    border-color: #4a5060;
    background: #272b35;
  }
  button:disabled {
    opacity: 0.45;
    cursor: default;
  }
  button[aria-pressed='true'],
  button[aria-current='true'] {
    border-color: var(--accent);
    color: var(--accent);
  }
  button.primary {
    border-color: var(--accent);
    background: var(--accent);
    color: var(--on-accent);
  }
  button.primary:hover:not(:disabled) {
    border-color: #ffc078;
    background: #ffc078;
  }
  button svg {
    width: 16px;
    height: 16px;
    fill: currentColor;
  }
  button.icon {
    width: 32px;
    padding: 0;
  }
  input[type='number'],
  input[type='text'],
  select {
    min-height: 32px;
    padding: 0 8px;
    border: 1px solid var(--line);
    border-radius: 6px;
    background: var(--ground);
    color: var(--text);
    font: inherit;
    font-variant-numeric: tabular-nums;
  }
  input[type='range'] {
    width: 100%;
    height: 24px;
    margin: 0;
    accent-color: var(--accent);
  }
  a {
    color: var(--accent);
  }
  :focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: 2px;
  }
  .dim {
    color: var(--dim);
  }
  .number {
    font-variant-numeric: tabular-nums;
  }
  .row {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 8px;
  }
  .spread {
    justify-content: space-between;
  }
  .hidden-label {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  @media (prefers-reduced-motion: reduce) {
    * {
      transition: none !important;
      animation: none !important;
    }
  }
`;
