import type { AnchorHTMLAttributes, MouseEvent } from "react";
import { navigate } from "./location";

// Goes to an address within the dashboard, unless the click asks for a new tab or window.
export function follow(event: MouseEvent, to: string): void {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  navigate(to);
}

// A link within the dashboard: an ordinary one for new tabs and for whoever copies it.
export function Link({ to, onClick, ...rest }: { to: string } & AnchorHTMLAttributes<HTMLAnchorElement>) {
  const click = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    follow(event, to);
  };
  return <a href={to} onClick={click} {...rest} />;
}
