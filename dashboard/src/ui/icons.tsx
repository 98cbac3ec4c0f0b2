// Line icons of one weight; decoration only, so the text beside them carries the meaning.
import type { ReactNode } from "react";

function icon(children: ReactNode) {
  return function Icon() {
    return (
      <svg viewBox="0 0 20 20" width="18" height="18" fill="none" stroke="currentColor" strokeWidth="1.7"
        strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
        {children}
      </svg>
    );
  };
}

export const LiveIcon = icon(<path d="M2 10h3.5l2.5-6 4 12 2.5-6H18" />);
export const ConversationsIcon = icon(<path d="M3 4h14v9H9l-4 3.5V13H3z" />);
export const InsightsIcon = icon(<path d="M3 17V9M8 17V4M13 17v-6M18 17V7" />);
export const TopologyIcon = icon(
  <>
    <circle cx="4" cy="10" r="2" /><circle cx="16" cy="4" r="2" /><circle cx="16" cy="16" r="2" />
    <path d="M6 9.2 14 5M6 10.8l8 4.2" />
  </>,
);
export const PlaygroundIcon = icon(<path d="M5 3.5 16 10 5 16.5z" />);
export const RecipesIcon = icon(<path d="M5 2.5h7l3.5 3.5v11.5H5zM8 9h5M8 12.5h5" />);
export const ModelsIcon = icon(
  <><rect x="3" y="3" width="14" height="5.5" rx="1" /><rect x="3" y="11.5" width="14" height="5.5" rx="1" /><path d="M6 5.8h.01M6 14.3h.01" /></>,
);
export const SystemIcon = icon(
  <><circle cx="10" cy="10" r="2.6" /><path d="M10 2.5v2M10 15.5v2M2.5 10h2M15.5 10h2M4.7 4.7l1.4 1.4M13.9 13.9l1.4 1.4M15.3 4.7l-1.4 1.4M6.1 13.9l-1.4 1.4" /></>,
);
export const SelectIcon = icon(<circle cx="10" cy="10" r="6" />);
export const StayIcon = icon(<path d="M4 7.5h12M4 12.5h12" />);
export const SwitchIcon = icon(<path d="M4 7h11l-3-3M16 13H5l3 3" />);
export const LockIcon = icon(<><rect x="4.5" y="9" width="11" height="8" rx="1.5" /><path d="M7 9V6.5a3 3 0 0 1 6 0V9" /></>);
export const ShieldIcon = icon(<path d="M10 2.5 16 5v4.5c0 4-2.6 6.6-6 8-3.4-1.4-6-4-6-8V5z" />);
export const DashIcon = icon(<path d="M5 10h10" />);
export const CopyIcon = icon(<><rect x="7" y="7" width="9.5" height="9.5" rx="1.5" /><path d="M13 4H5A1.5 1.5 0 0 0 3.5 5.5V13" /></>);
export const PauseIcon = icon(<path d="M7 4v12M13 4v12" />);
export const PlayIcon = PlaygroundIcon;
export const CloseIcon = icon(<path d="m5 5 10 10M15 5 5 15" />);
export const MenuIcon = icon(<path d="M3 5.5h14M3 10h14M3 14.5h14" />);
