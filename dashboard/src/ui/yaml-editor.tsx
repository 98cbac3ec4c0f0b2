// A YAML editor with diagnostics at their lines. Loaded only where it is used: it is the largest
// part of the dashboard.
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, bracketMatching, foldGutter, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic as Mark, lintGutter, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { EditorView, drawSelection, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "react";
import type { Diagnostic } from "../api/client";

const colours = HighlightStyle.define([
  { tag: tags.comment, color: "var(--muted)", fontStyle: "italic" },
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--series-0)" },
  { tag: tags.string, color: "var(--good)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--warn)" },
  { tag: [tags.keyword, tags.meta, tags.labelName], color: "var(--series-3)" },
]);

const look = EditorView.theme({
  "&": { backgroundColor: "var(--surface)", color: "var(--text)", fontSize: "13px", height: "100%" },
  ".cm-scroller": { fontFamily: "var(--mono)", overflow: "auto" },
  ".cm-gutters": { backgroundColor: "var(--sunken)", color: "var(--muted)", borderRight: "1px solid var(--line)" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--accent) 7%, transparent)" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--accent-soft)" },
  ".cm-panels, .cm-tooltip": { backgroundColor: "var(--raised)", color: "var(--text)", borderColor: "var(--line)" },
  ".cm-searchMatch": { backgroundColor: "var(--mark)" },
});

export interface EditorHandle {
  goTo: (line: number) => void;
}

export default function YamlEditor({ value, onChange, diagnostics, handle, label, readOnly = false }: {
  value: string; onChange: (text: string) => void; diagnostics: Diagnostic[];
  handle?: (handle: EditorHandle) => void; label: string; readOnly?: boolean;
}) {
  const box = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const change = useRef(onChange);
  change.current = onChange;

  useEffect(() => {
    if (!box.current) return;
    const editor = new EditorView({
      parent: box.current,
      state: EditorState.create({
        doc: value,
        extensions: [
          lineNumbers(), foldGutter(), history(), drawSelection(), indentOnInput(), bracketMatching(),
          highlightActiveLine(), highlightSelectionMatches(), search({ top: true }), lintGutter(), yaml(),
          syntaxHighlighting(colours), look,
          keymap.of([...defaultKeymap, ...historyKeymap, ...searchKeymap, indentWithTab]),
          EditorState.readOnly.of(readOnly),
          EditorView.contentAttributes.of({ "aria-label": label }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) change.current(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = editor;
    editor.scrollDOM.tabIndex = 0;
    handle?.({
      goTo: (line) => {
        const at = editor.state.doc.line(Math.max(1, Math.min(line, editor.state.doc.lines)));
        editor.dispatch({ selection: { anchor: at.from }, effects: EditorView.scrollIntoView(at.from, { y: "center" }) });
        editor.focus();
      },
    });
    return () => editor.destroy();
    // The editor keeps its own text; a new one from outside is put in below.
  }, [readOnly, label]);

  useEffect(() => {
    const editor = view.current;
    if (!editor || editor.state.doc.toString() === value) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
  }, [value]);

  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    const marks: Mark[] = diagnostics.filter((one) => one.line > 0 && one.line <= editor.state.doc.lines).map((one) => {
      const line = editor.state.doc.line(one.line);
      const from = Math.min(line.to, line.from + Math.max(0, one.column - 1));
      return {
        from, to: line.to, severity: one.severity,
        message: `${one.path ? `${one.path}: ` : ""}${one.message}${one.allowed ? ` (allowed: ${one.allowed})` : ""}`,
      };
    });
    editor.dispatch(setDiagnostics(editor.state, marks));
  }, [diagnostics, value]);

  return <div ref={box} style={{ height: "100%" }} />;
}
