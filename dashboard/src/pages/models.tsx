import { Empty } from "../ui/ui"; export default function Page(_: Record<string, unknown>) { return <Empty title="models" />; }
