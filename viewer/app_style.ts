/** Where the panels stand: four columns on a desk, two on a tablet, one in a hand. */
import { css } from 'lit';

export const appStyle = css`
  :host {
    display: grid;
    grid-template-rows: auto minmax(0, 1fr);
    min-height: 100vh;
  }
  header {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 4px 16px;
    padding: 10px var(--gap);
    border-bottom: 1px solid var(--line);
  }
  .brand {
    display: flex;
    align-items: center;
    gap: 8px;
    font-size: 16px;
  }
  .network {
    flex: 1;
    min-width: 0;
    overflow-wrap: anywhere;
  }
  .software {
    flex-basis: 100%;
    color: var(--accent);
  }
  main {
    display: grid;
    grid-template-columns: 280px 152px minmax(0, 1fr) 468px;
    gap: var(--gap);
    min-height: 0;
    padding: var(--gap);
  }
  section {
    display: grid;
    gap: 12px;
    align-content: start;
    min-width: 0;
    min-height: 0;
    padding: var(--gap);
    border-radius: var(--radius);
    background: var(--panel);
  }
  .layers,
  .activations {
    grid-template-rows: auto minmax(0, 1fr);
    align-content: stretch;
  }
  .layers {
    padding-inline: 8px;
  }
  .layers h2 {
    padding-left: 8px;
  }
  .activations h2 {
    line-height: 32px;
  }
  .unit {
    gap: 18px;
  }
  .hint {
    font-size: 12px;
  }
  .drop {
    position: fixed;
    z-index: 10;
    inset: 8px;
    display: grid;
    place-items: center;
    border: 2px dashed var(--accent);
    border-radius: 12px;
    background: #0d0e12d9;
    color: var(--accent);
    font-size: 24px;
    pointer-events: none;
  }
  @media (min-width: 1241px) {
    :host {
      height: 100vh;
    }
    .input,
    .unit {
      overflow: auto;
      scrollbar-width: thin;
    }
  }
  @media (max-width: 1240px) {
    main {
      grid-template-columns: 168px minmax(0, 1fr) minmax(0, 1fr);
    }
    .input {
      grid-row: 1;
      grid-column: 1 / 3;
    }
    .unit {
      grid-row: 1;
      grid-column: 3;
    }
    .layers {
      grid-column: 1;
      height: 70vh;
    }
    .activations {
      grid-column: 2 / 4;
      height: 70vh;
    }
  }
  @media (max-width: 900px) {
    main {
      grid-template-columns: minmax(0, 1fr);
      padding: 8px;
      gap: 8px;
    }
    section,
    .input,
    .unit,
    .layers,
    .activations {
      grid-column: 1;
      grid-row: auto;
      height: auto;
      padding: 12px;
    }
    .activations {
      height: 62vh;
    }
  }
`;
