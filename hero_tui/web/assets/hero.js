// Around textual-serve's own script: says why a cockpit has ended, and opens it again after a restart of the daemon.
"use strict";
(() => {
  const Native = window.WebSocket;
  const AWAY = 1001, LOST = 1006, SOON = 3000;

  function ended(event) {
    const why = document.getElementById("why");
    const again = document.getElementById("again");
    why.textContent = event.reason || (event.code === LOST ? "The connection was lost." : "");
    again.href = window.location.href;
    again.focus();
    if (event.code === AWAY) window.setTimeout(() => window.location.reload(), SOON);
  }

  window.WebSocket = class extends Native {
    constructor(...given) {
      super(...given);
      this.addEventListener("close", ended);
    }
  };

  // Asked for before anything is drawn with them, so that the terminal measures and draws the right letters.
  for (const style of ["normal", "italic"]) document.fonts.load(`${style} 15px "Roboto Mono"`);
  // Keys are for the cockpit from the beginning; its terminal is made by the handler after this one.
  window.addEventListener("load", () => {
    window.setTimeout(() => document.querySelector(".xterm-helper-textarea")?.focus());
  });
})();
