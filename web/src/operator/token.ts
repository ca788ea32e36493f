import { byId, say } from "../panel/element.js";

/** The operator's token: out of what the address says behind `#`, where it does not stay, or as it was given in this tab. */
export function givenToken(): string | undefined {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given === null) return stored();
  history.replaceState(null, "", location.pathname + location.search);
  keep(given);
  return given;
}

/** The form for a token. */
export class TokenForm {
  constructor(used: (token: string) => void) {
    const input = byId<HTMLInputElement>("token");
    byId<HTMLFormElement>("access-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const token = input.value.trim();
      if (token === "") return;
      keep(token);
      input.value = "";
      byId("refusal").hidden = true;
      used(token);
    });
  }

  /** Asks for one, and says why, if one was refused. */
  ask(why?: string): void {
    forget();
    say(byId("refusal"), why ?? "");
    byId("refusal").hidden = why === undefined;
    byId("access").hidden = false;
    byId("token").focus();
  }

  hide(): void {
    byId("access").hidden = true;
  }
}

/** Pages may be refused to keep anything: then it holds for as long as the page is open. */
function stored(): string | undefined {
  try {
    return sessionStorage.getItem(KEY) ?? undefined;
  } catch {
    return undefined;
  }
}

function keep(token: string): void {
  try {
    sessionStorage.setItem(KEY, token);
  } catch {
    // See above.
  }
}

function forget(): void {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // See above.
  }
}

const KEY = "geocast-operator-token";
