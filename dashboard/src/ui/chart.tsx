// A time series with axes, by uPlot. Colours follow the theme.
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { token, useTheme } from "../app/theme";

export interface Series {
  name: string;
  colour: string; // name of a token
  values: (number | null)[];
}

const daySeconds = 86_400;
const dayLabel = new Intl.DateTimeFormat([], { month: "short", day: "numeric" });

// `step` is what lies between two labels, in seconds; midnight shows its day.
function timeLabel(time: number, step: number): string {
  const date = new Date(time * 1000);
  const isMidnight = date.getHours() === 0 && date.getMinutes() === 0;
  if (step >= daySeconds || isMidnight) return dayLabel.format(date);
  return date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
}

const digitWidth = 7;
const labelSpace = 22;

function labelWidth(_: uPlot, values: string[] | null): number {
  return labelSpace + digitWidth * Math.max(1, ...(values ?? []).map((value) => value.length));
}

export function Chart({ times, series, format, label, height = 200, bars = false }: {
  times: number[]; series: Series[]; format: (value: number) => string; label: string;
  height?: number; bars?: boolean;
}) {
  const box = useRef<HTMLDivElement>(null);
  const theme = useTheme();
  useEffect(() => {
    const element = box.current;
    if (!element || times.length === 0) return;
    const axis = { stroke: token("muted"), grid: { stroke: token("line-soft"), width: 1 }, ticks: { stroke: token("line-soft") } };
    const plot = new uPlot(
      {
        width: Math.max(200, element.clientWidth),
        height,
        cursor: { y: false },
        legend: { live: true },
        scales: { y: { range: (_, __, most) => [0, most > 0 ? most * 1.1 : 1] } },
        axes: [
          { ...axis, values: (_, times, __, ___, step) => times.map((time) => timeLabel(time, step)) },
          { ...axis, size: labelWidth, values: (_, values) => values.map((value) => format(value)) },
        ],
        series: [
          {},
          ...series.map((one) => ({
            label: one.name,
            stroke: token(one.colour),
            fill: bars ? token(one.colour) : undefined,
            width: bars ? 0 : 2,
            paths: bars ? uPlot.paths.bars?.({ size: [0.7, 40] }) : undefined,
            points: { show: times.length < 40 && !bars },
            value: (_: uPlot, value: number | null) => (value === null ? "–" : format(value)),
          })),
        ],
      },
      [times, ...series.map((one) => one.values)] as uPlot.AlignedData,
      element,
    );
    const fit = new ResizeObserver(() => plot.setSize({ width: Math.max(200, element.clientWidth), height }));
    fit.observe(element);
    return () => {
      fit.disconnect();
      plot.destroy();
    };
  }, [times, series, format, height, bars, theme]);
  return <div ref={box} role="img" aria-label={label} />;
}
