import { type FormEvent, useState } from "react";
import { asApiError, post } from "../api/client";
import { Button, Card, Notice } from "../ui/ui";

export function Login({ onDone }: { onDone: () => void }) {
  const [token, setToken] = useState("");
  const [problem, setProblem] = useState("");
  const send = async (event: FormEvent) => {
    event.preventDefault();
    try {
      await post("/api/v1/login", { token: token.trim() });
      onDone();
    } catch (error) {
      setProblem(asApiError(error).message);
    }
  };
  return (
    <main className="main" style={{ maxWidth: 520, margin: "10vh auto" }}>
      <Card title="vllm-sr">
        <form className="stack" onSubmit={send}>
          <p>
            This address asks for the admin token. It was printed when the router first started and
            is in its state folder, file <code>admin-token</code>.
          </p>
          <label>
            Admin token
            <input className="field" type="password" autoComplete="current-password" autoFocus
              style={{ width: "100%" }} value={token} onChange={(e) => setToken(e.target.value)} />
          </label>
          {problem !== "" && <Notice tone="bad">{problem}</Notice>}
          <div><Button kind="primary" type="submit" disabled={token.trim() === ""}>Log in</Button></div>
        </form>
      </Card>
    </main>
  );
}
