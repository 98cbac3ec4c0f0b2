import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// `npm run dev` shows the sources over a running router; ROUTER names another address.
const router = process.env.ROUTER ?? "http://127.0.0.1:8700";
const passed = ["/api", "/v1", "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"];

export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2022",
    assetsDir: "assets",
    // Fonts and icons stay files, so that the policy of the page needs no data: addresses.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
    modulePreload: { polyfill: false },
  },
  // The router takes no writes from a page of another origin.
  server: { proxy: Object.fromEntries(passed.map((path) => [path, { target: router, changeOrigin: true, headers: { origin: router } }])) },
});
