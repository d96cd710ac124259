// Keys of the whole page. Those that a control needs itself stay with it.

/**
 * listen calls actions[key], or actions.level(n) for a digit. Keys that write something do nothing unless
 * on() is true: people who speak to their machine press them by accident.
 */
export function listen(actions, on) {
  document.addEventListener('keydown', (e) => {
    if (e.ctrlKey || e.altKey || e.metaKey || e.defaultPrevented) return;
    if (document.querySelector('dialog[open]')) return;
    const control = e.target.closest?.('input, button, summary, [role=treeitem]');
    const key = e.key.length === 1 ? e.key.toLowerCase() : e.key;
    if (control && [' ', 'Enter'].includes(key)) return;
    if (key.length === 1 && !on()) return;
    if (e.target.matches?.('input:not([type=range], [type=radio])')) return;
    const digit = /^[1-9]$/.test(key) ? Number(key) : 0;
    if (digit) actions.level(digit - 1);
    else if (actions[key]) actions[key]();
    else return;
    e.preventDefault();
  });
}
