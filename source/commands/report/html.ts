import {printable} from '../../lib/printable.ts';
import type {Block, Cell, Document, Row} from './blocks.ts';

/** Longer texts are cut: a rule may have many ports. */
const LONGEST = 10_000;

/** System fonts, and colors by prefers-color-scheme. On a narrow screen a row of a wide table becomes a card. */
const STYLE = `
:root { color-scheme: light dark; --page: #fff; --text: #1b1f24; --muted: #59636e; --line: #d1d9e0; --soft: #f6f8fa; --good: #116329; --bad: #b3151f; --warn: #7d4e00; --open: #0550ae; }
@media (prefers-color-scheme: dark) { :root { --page: #0d1117; --text: #e6edf3; --muted: #9198a1; --line: #30363d; --soft: #161b22; --good: #5fd07a; --bad: #ff8a80; --warn: #e3b341; --open: #79c0ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 72rem; background: var(--page); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .75rem; }
h2 { font-size: 1.2rem; margin: 2.25rem 0 .5rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); }
p { margin: .5rem 0; }
.verdict { padding: .6rem .9rem; border-left: .3rem solid; background: var(--soft); font-weight: 600; }
table { width: 100%; border-collapse: collapse; margin: .5rem 0 1rem; font-size: .925em; }
th, td { padding: .35rem .6rem .35rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
thead th { color: var(--muted); font-weight: 600; }
tbody th { width: 11rem; font-weight: 600; }
code { font: .875em/1.45 ui-monospace, monospace; }
.good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); } .open { color: var(--open); } .muted { color: var(--muted); }
td .bad, td .open { font-weight: 600; }
th, td, td:last-child span { overflow-wrap: normal; }
td:last-child, td code { overflow-wrap: anywhere; }
@media screen and (max-width: 40rem) {
	.list thead { display: none; }
	.list, .list tbody, .list tr { display: block; }
	.list tr { padding: .5rem 0; border-bottom: 1px solid var(--line); }
	.list td { display: inline-block; margin-right: 1rem; padding: 0; border: 0; }
	.list td:empty { display: none; }
	.list td::before { content: attr(data-name) ": "; color: var(--muted); }
	tbody th { width: 8rem; }
}
@media print {
	:root { --page: #fff; --text: #000; --muted: #444; --line: #999; --soft: #fff; --good: #000; --bad: #000; --warn: #000; --open: #000; }
	body { max-width: none; padding: 0; font-size: 9.5pt; }
	h2 { break-after: avoid; }
	tr, .verdict { break-inside: avoid; }
	thead { display: table-header-group; }
}
`;

/** The page: XHTML that browsers read as HTML, with nothing to load and nothing to run. */
export function printHtml({title, verdict, sections}: Document): string {
	return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="referrer" content="no-referrer"/>
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
<p class="verdict ${verdict.tone}">${escapeHtml(verdict.text)}</p>
${sections.map(({title: name, blocks}) => `<h2>${escapeHtml(name)}</h2>\n${blocks.map(printBlock).join('\n')}`).join('\n')}
</body>
</html>
`;
}

/** Makes text from outside safe in the text and in the attributes of the page. */
function escapeHtml(text: string): string {
	const names: Readonly<Record<string, string>> = {
		...{'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;'},
	};
	return printable(text, LONGEST).replace(/[&<>"']/g, (sign) => names[sign] ?? '');
}

function printBlock(block: Block): string {
	if (block.kind === 'text') {
		return `<p>${printCell(block)}</p>`;
	}

	const {head, rows} = block;
	return head.length === 0
		? `<table>\n<tbody>\n${rows.map(printPair).join('\n')}\n</tbody>\n</table>`
		: `<table class="list">\n<thead><tr>${head.map((name) => `<th scope="col">${escapeHtml(name)}</th>`).join('')}</tr></thead>\n<tbody>\n${rows.map((row) => printRow(row, head)).join('\n')}\n</tbody>\n</table>`;
}

function printPair([name, value]: Row): string {
	return `<tr><th scope="row">${escapeHtml(name?.text ?? '')}</th><td>${value ? printCell(value) : ''}</td></tr>`;
}

function printRow(row: Row, head: readonly string[]): string {
	return `<tr>${row.map((cell, column) => `<td data-name="${escapeHtml(head[column] ?? '')}">${printCell(cell)}</td>`).join('')}</tr>`;
}

function printCell({text, tone}: Cell): string {
	const escaped = escapeHtml(text);
	return text === '' || tone === undefined
		? escaped
		: tone === 'code'
			? `<code>${escaped}</code>`
			: `<span class="${tone}">${escaped}</span>`;
}
