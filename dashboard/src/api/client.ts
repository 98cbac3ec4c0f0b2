// Requests to the operator API. Types are generated from its description, so that a field which
// changes there breaks the build here.
import type { components, paths } from "./schema";

type Schemas = components["schemas"];
export type ReplayRecord = Schemas["Record"];
export type RecordList = Schemas["RecordList"];
export type Aggregate = Schemas["Aggregate"];
export type Trajectory = Schemas["Trajectory"];
export type Turn = Schemas["Turn"];
export type Conversation = Schemas["Conversation"];
export type ConversationList = Schemas["ConversationList"];
export type LiveEvent = Schemas["Event"];
export type Models = Schemas["Models"];
export type Model = Schemas["Model"];
export type Endpoint = Schemas["Endpoint"];
export type EndpointMetrics = Schemas["EndpointMetrics"];
export type System = Schemas["System"];
export type LogLines = Schemas["LogLines"];
export type Eval = Schemas["Eval"];
export type EvalRequest = Schemas["EvalRequest"];
export type RuleNode = Schemas["RuleNode"];
export type Verdict = Schemas["Verdict"];
export type ProjectionTrace = Schemas["ProjectionTrace"];
export type Diagnostic = Schemas["Diagnostic"];
export type Validation = Schemas["Validation"];
export type Versions = Schemas["Versions"];
export type Activated = Schemas["Activated"];
export type Preview = Schemas["Preview"];
export type ShippedRecipes = Schemas["ShippedRecipes"];
export type ProbeRun = Schemas["ProbeRun"];
export type Simulation = Schemas["Simulation"];
export type Topology = Schemas["Topology"];
export type Sessions = Schemas["Sessions"];
export type Readiness = Schemas["Readiness"];
export type ErrorBody = Schemas["Error"];
export type Path = keyof paths;

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly body?: unknown,
  ) {
    super(message);
  }
}

export interface Call {
  method?: "GET" | "POST" | "PUT";
  json?: unknown;
  text?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

// The answer itself; throws ApiError for a status that is no success and for no answer at all
// (status 0).
export async function request(path: string, call: Call = {}): Promise<Response> {
  const headers: Record<string, string> = { ...call.headers };
  const method = call.method ?? "GET";
  // A page of another site cannot set this header without being asked about it first.
  if (method !== "GET") headers["x-vsr-request"] = "1";
  if (call.json !== undefined) headers["content-type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: call.json !== undefined ? JSON.stringify(call.json) : call.text,
      signal: call.signal,
      credentials: "same-origin",
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "no_answer", "The router does not answer. Is it running?");
  }
  if (response.ok) return response;
  throw await errorOf(response);
}

// What an answer without success says.
export async function errorOf(response: Response): Promise<ApiError> {
  try {
    const body = (await response.json()) as ErrorBody;
    return new ApiError(response.status, body.error.code, body.error.message, body);
  } catch {
    // Not JSON: the status says what there is to say.
    return new ApiError(response.status, "http_error", `The router answered ${response.status} ${response.statusText}`);
  }
}

// Whatever was thrown, as one kind of error.
export function asApiError(error: unknown): ApiError {
  return error instanceof ApiError ? error : new ApiError(0, "unexpected", String(error));
}

// Activates a recipe; with a tag only if the running one still has it.
export async function activateRecipe(yaml: string, tag = ""): Promise<Activated> {
  const headers: Record<string, string> = { "content-type": "application/yaml" };
  if (tag !== "") headers["if-match"] = tag;
  const response = await request("/api/v1/config", { method: "PUT", text: yaml, headers });
  return (await response.json()) as Activated;
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await (await request(path, { signal })).json()) as T;
}
export async function getText(path: string, signal?: AbortSignal): Promise<string> {
  return (await request(path, { signal })).text();
}
export async function post<T>(path: string, json: unknown, signal?: AbortSignal): Promise<T> {
  return (await (await request(path, { method: "POST", json, signal })).json()) as T;
}

// "?a=1&b=2" of what is not empty.
export function query(parameters: Record<string, string | number | boolean | undefined>): string {
  const parts = Object.entries(parameters)
    .filter(([, value]) => value !== undefined && value !== "" && value !== false)
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
  return parts.length > 0 ? `?${parts.join("&")}` : "";
}
