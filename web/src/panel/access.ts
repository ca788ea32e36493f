import { byId, say } from "./element.js";

/** The token that was given in this tab. */
export function storedToken(): string | undefined {
  try {
    return sessionStorage.getItem(KEY) ?? undefined;
  } catch {
    return undefined;
  }
}

/** The form for a token. With another one the page begins anew. */
export function bindAccess(): void {
  const input = byId<HTMLInputElement>("token");
  say(byId("access-state"), storedToken() ? "in use" : "");
  byId<HTMLFormElement>("access-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const token = input.value.trim();
    try {
      if (token) sessionStorage.setItem(KEY, token);
      else sessionStorage.removeItem(KEY);
    } catch {
      say(byId("access-state"), "this browser keeps nothing");
      return;
    }
    location.reload();
  });
}

const KEY = "geocast-token";
