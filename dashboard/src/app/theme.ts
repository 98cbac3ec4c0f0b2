// Light, dark or as the system is. Kept in this browser.
import { useSyncExternalStore } from "react";

export type Choice = "system" | "light" | "dark";
const key = "vsr-theme";
const changed = "vsr-theme";
const dark = window.matchMedia("(prefers-color-scheme: dark)");

export function chosen(): Choice {
  try {
    const value = localStorage.getItem(key);
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    return "system";
  }
}

export function resolved(): "light" | "dark" {
  const choice = chosen();
  return choice === "system" ? (dark.matches ? "dark" : "light") : choice;
}

export function choose(choice: Choice): void {
  try {
    if (choice === "system") localStorage.removeItem(key);
    else localStorage.setItem(key, choice);
  } catch {
    // A browser that keeps nothing follows the system.
  }
  apply();
}

export function apply(): void {
  document.documentElement.dataset.theme = resolved();
  window.dispatchEvent(new Event(changed));
}

export function startTheme(): void {
  dark.addEventListener("change", apply);
  apply();
}

// Renders again when the theme changes, for drawings that read colours themselves.
export function useTheme(): "light" | "dark" {
  return useSyncExternalStore((listener) => {
    window.addEventListener(changed, listener);
    return () => window.removeEventListener(changed, listener);
  }, resolved);
}

// The value of a token of theme.css.
export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
