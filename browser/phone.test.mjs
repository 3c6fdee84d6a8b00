// The pages on a phone.

import { testPages } from "./pages.mjs";

const viewport = { width: 320, height: 640 };
// The text spacing that a page must allow (WCAG 1.4.12).
const SPACING = "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important } p { margin-bottom: 2em !important }";

testPages({
  "nb-NO": [
    ["phone", viewport],
    ["phone-dark", viewport, { colorScheme: "dark" }],
    ["text-spacing", viewport, {}, SPACING],
  ],
  "en-GB": [["phone-english", viewport]],
});
