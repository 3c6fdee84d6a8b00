// A logger that says warnings and errors only: by default Graphile Worker prints a line a job, which
// would be measured as well.

import { Logger } from "graphile-worker";

export const logger = new Logger(() => (level, message) => {
  if (level === "error" || level === "warning") console.error(message);
});
