// What the browser keeps for the page, as far as it allows.

/** settings returns those of the last visit. */
export function settings() {
  try {
    return JSON.parse(localStorage.getItem('glom')) ?? {};
  } catch {
    return {};
  }
}

/** keepSettings keeps them for the next visit. */
export function keepSettings({ level, view, opacity, side, keys }) {
  try {
    localStorage.setItem('glom', JSON.stringify({ level, view, opacity, side, keys }));
  } catch {
    // a private window
  }
}

let given = ''; // the token, where the browser keeps nothing

/** keepToken keeps the token for as long as this window is open. */
export function keepToken(token) {
  given = token;
  try {
    sessionStorage.setItem('glom-token', token);
  } catch {
    // a private window
  }
}

/**
 * token returns the token. It comes from the fragment of the address, which is never sent to a
 * server, and is taken out of the address, which people copy.
 */
export function token() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const fresh = fragment.get('token');
  if (fresh) {
    keepToken(fresh);
    fragment.delete('token');
    history.replaceState(null, '', location.pathname + location.search + (String(fragment) && `#${fragment}`));
  }
  try {
    return sessionStorage.getItem('glom-token') ?? given;
  } catch {
    return given;
  }
}
