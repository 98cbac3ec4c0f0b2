// Two recipes side by side, what differs marked.
import { yaml } from "@codemirror/lang-yaml";
import { unifiedMergeView } from "@codemirror/merge";
import { EditorState } from "@codemirror/state";
import { EditorView, lineNumbers } from "@codemirror/view";
import { useEffect, useRef } from "react";

export default function YamlDiff({ before, after }: { before: string; after: string }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!box.current) return;
    const view = new EditorView({
      parent: box.current,
      state: EditorState.create({
        doc: after,
        extensions: [
          lineNumbers(), yaml(), EditorState.readOnly.of(true), EditorView.editable.of(false),
          EditorView.contentAttributes.of({ "aria-label": "Differences", tabindex: "0" }),
          EditorView.theme({
            "&": { fontSize: "13px" },
            ".cm-scroller": { fontFamily: "var(--mono)" },
            ".cm-gutters": { backgroundColor: "var(--sunken)", color: "var(--muted)" },
            ".cm-changedLine": { backgroundColor: "var(--good-soft) !important" },
            ".cm-deletedChunk": { backgroundColor: "var(--bad-soft)" },
          }),
          unifiedMergeView({ original: before, mergeControls: false, collapseUnchanged: { margin: 3, minSize: 6 } }),
        ],
      }),
    });
    view.scrollDOM.tabIndex = 0;
    return () => view.destroy();
  }, [before, after]);
  return <div ref={box} />;
}
