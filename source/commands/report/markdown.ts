import {printable} from '../../lib/printable.ts';
import type {Block, Cell, Document} from './blocks.ts';

const LONGEST = 10_000;

/** The document as Markdown, which a terminal shows as well. */
export function printMarkdown({title, verdict, sections}: Document): string {
	return `${[
		`# ${printCell({text: title})}`,
		printCell({text: verdict.text}),
		...sections.flatMap(({title: name, blocks}) => [`## ${name}`, ...blocks.map(printBlock)]),
	].join('\n\n')}\n`;
}

function printBlock(block: Block): string {
	if (block.kind === 'text') {
		return printCell(block);
	}

	const {head, rows} = block;
	const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
	return head.length === 0
		? rows
				.map(
					([name, value]) => `- ${name ? printCell(name) : ''}: ${value ? printCell(value) : ''}`,
				)
				.join('\n')
		: [
				line(head.map((name) => printCell({text: name}))),
				line(head.map(() => '---')),
				...rows.map((row) => line(row.map(printCell))),
			].join('\n');
}

/** Safe for a terminal, and no Markdown or HTML but ours: code is as it is, but for the end of a cell. */
function printCell({text, tone}: Cell): string {
	const safe = printable(text, LONGEST);
	return tone === 'code' && text !== '' && !safe.includes('`')
		? `\`${safe.replaceAll('|', '\\|')}\``
		: safe.replace(SPECIAL, '\\$&');
}

/** What GitHub's Markdown makes something of: no underscore within a word, and `&` only before an entity. */
const SPECIAL = /[\\`*[\]<|~]|(?<![\p{L}\d])_|_(?![\p{L}\d])|&(?=#?\w+;)|:(?=\/\/)/gu;
