// A line of the latest values without axes: a shape, with its last value said in words.
export function Spark({ values, label, width = 120, height = 28 }: {
  values: number[]; label: string; width?: number; height?: number;
}) {
  if (values.length < 2) return <div style={{ height }} />;
  const most = Math.max(...values, 1e-9);
  const points = values.map((value, i) => {
    const x = (i / (values.length - 1)) * width;
    const y = height - 2 - (value / most) * (height - 4);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  return (
    <svg viewBox={`0 0 ${width} ${height}`} width="100%" height={height} preserveAspectRatio="none"
      role="img" aria-label={label}>
      <polyline points={points.join(" ")} fill="none" stroke="var(--accent)" strokeWidth="1.5"
        vectorEffect="non-scaling-stroke" />
    </svg>
  );
}
