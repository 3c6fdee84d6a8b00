// The pages on a large screen.

import { testPages } from "./pages.mjs";

const viewport = { width: 1440, height: 900 };

testPages({
  "nb-NO": [
    ["desktop", viewport],
    ["desktop-dark", viewport, { colorScheme: "dark" }],
    ["forced-colours", viewport, { forcedColors: "active" }],
    ["double-text", { width: 640, height: 900 }, {}, ":root { font-size: 200% !important }"],
  ],
});
