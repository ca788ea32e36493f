/** What the map is drawn with; the panel has the same in its style sheet. */
export interface Colours {
  beyond: string;
  sea: string;
  land: string;
  coast: string;
  border: string;
  graticule: string;
  name: string;
  ink: string;
  halo: string;
  accent: string;
  withheld: string;
  kinds: string[];
}

export type Theme = "light" | "dark";

const listeners = new Set<() => void>();
let read: Colours | undefined;

/** The colours of the theme that is shown. */
export function colours(): Colours {
  return (read ??= readColours());
}

/** Tells of each change of theme. */
export function onTheme(listener: () => void): void {
  listeners.add(listener);
}

/** The switch, which begins with what the system prefers and remembers what was chosen. */
export function bindTheme(button: HTMLButtonElement): void {
  const system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = stored();
  const show = () => {
    const theme: Theme = chosen ?? (system.matches ? "dark" : "light");
    document.documentElement.dataset["theme"] = theme;
    button.setAttribute("aria-pressed", String(theme === "dark"));
    button.title = theme === "dark" ? "Change to light" : "Change to dark";
    read = undefined;
    for (const listener of listeners) listener();
  };
  system.addEventListener("change", show);
  button.addEventListener("click", () => {
    chosen = document.documentElement.dataset["theme"] === "dark" ? "light" : "dark";
    store(chosen);
    show();
  });
  show();
}

function readColours(): Colours {
  const style = getComputedStyle(document.documentElement);
  const value = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    beyond: value("beyond"),
    sea: value("sea"),
    land: value("land"),
    coast: value("coast"),
    border: value("border"),
    graticule: value("graticule"),
    name: value("name"),
    ink: value("ink"),
    halo: value("halo"),
    accent: value("accent"),
    withheld: value("withheld"),
    kinds: [1, 2, 3, 4, 5, 6].map((number) => value(`kind-${number}`)),
  };
}

/** Pages may be refused to keep anything. */
function stored(): Theme | undefined {
  try {
    const theme = localStorage.getItem(KEY);
    return theme === "light" || theme === "dark" ? theme : undefined;
  } catch {
    return undefined;
  }
}

function store(theme: Theme): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Then it holds for as long as the page is open.
  }
}

const KEY = "geocast-theme";
