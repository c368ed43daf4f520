/** What a table shows as a file for a spreadsheet, in which nothing is taken for a formula. */

const FORMULA = /^[=+\-@\t\r]/; // what Excel, LibreOffice and Google Sheets would calculate (OWASP, CSV injection)

/** @param {unknown} value */
export function cell(value) {
  const text = value === null || value === undefined ? "" : String(value);
  const safe = FORMULA.test(text) && typeof value !== "number" ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** RFC 4180, with a mark by which Excel knows UTF-8. @param {unknown[][]} rows */
export const csv = (rows) => `\ufeff${rows.map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;

/** Hand a table to the person as a file. @param {string} name @param {unknown[][]} rows */
export const save = (name, rows) => hand(name, csv(rows), "text/csv;charset=utf-8");

/** Hand a text to the person as a file. @param {string} name @param {string} text @param {string} type */
export function hand(name, text, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
