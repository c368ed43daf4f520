/** What the server writes in front of worker.js: every file of the app, and a version made of all their contents. */
declare const SHELL: Readonly<{ version: string, files: readonly string[] }>;
