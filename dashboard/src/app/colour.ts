// The colour of a model: by its place in the recipe, so that it is the same on every page.
const seen: string[] = [];

export function setModelOrder(names: string[]): void {
  seen.splice(0, seen.length, ...names);
}

export function modelColour(name: string): string {
  let at = seen.indexOf(name);
  if (at < 0) at = seen.push(name) - 1;
  return `var(--series-${at % 8})`;
}
