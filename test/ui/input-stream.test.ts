import {PassThrough} from 'node:stream';
import {setTimeout as sleep} from 'node:timers/promises';
import fc from 'fast-check';
import {afterEach, beforeEach, describe, expect, test, vi} from 'vitest';
import {KeyStream} from '../../source/ui/keys/input-stream.ts';
import {splitKeys} from '../../source/ui/keys/split-keys.ts';

const ESC = '\u001B';
/** How KeyStream writes the Escape key, so that it cannot join what follows. */
const ESCAPE_KEY = `${ESC}[27u`;
const paste = (text: string) => `${ESC}[200~${text}${ESC}[201~`;

describe('splitKeys', () => {
	test.each([
		['two arrows in one packet', `${ESC}[B${ESC}[B`, [`${ESC}[B`, `${ESC}[B`]],
		['text and Enter in one packet', '22\r', ['2', '2', '\r']],
		['a line feed is Enter', '2\n', ['2', '\r']],
		['Tab and Shift-Tab', `\t${ESC}[Z`, ['\t', `${ESC}[Z`]],
		['both codes of Backspace', '\u0008\u007F', ['\u007F', '\u007F']],
		['arrows of the application mode', `${ESC}OA${ESC}OD`, [`${ESC}[A`, `${ESC}[D`]],
		[
			'Home and End of four terminals',
			`${ESC}[H${ESC}OH${ESC}[1~${ESC}[7~${ESC}[F${ESC}OF${ESC}[4~${ESC}[8~`,
			[...Array(4).fill(`${ESC}[H`), ...Array(4).fill(`${ESC}[F`)],
		],
		[
			'Delete and the pages',
			`${ESC}[3~${ESC}[5~${ESC}[6~`,
			['3~', '5~', '6~'].map((k) => `${ESC}[${k}`),
		],
		['Ctrl-C', '\u0003', ['\u0003']],
		['letters of any script', 'é世😀', ['é', '世', '😀']],
		['Escape and a key in one packet', `${ESC}\r`, [ESCAPE_KEY, '\r']],
		['Alt with a letter', `${ESC}x`, [ESCAPE_KEY, 'x']],
		['Escape and an arrow in one packet', `${ESC}${ESC}[A`, [ESCAPE_KEY, `${ESC}[A`]],
	])('%s', (_, input, keys) => {
		expect(splitKeys(input)).toEqual({keys, rest: ''});
	});

	test.each([
		['Ctrl-F1', `${ESC}[1;5P`],
		['F1 of xterm', `${ESC}OP`],
		['F1 of the Linux console', `${ESC}[[A`],
		['F5', `${ESC}[15~`],
		['Shift-Up', `${ESC}[1;2A`],
		['a mouse click', `${ESC}[<0;10;20M`],
		['focus in and out', `${ESC}[I${ESC}[O`],
		['a cursor position report', `${ESC}[12;40R`],
		['controls without a meaning here', '\u0000\u0007\u000E\u0014\u0018\u001C'],
		['C1 controls, invisible characters, line separators', '\u009B\u200B\u202E\u2028'],
	])('drops %s', (_, input) => {
		expect(splitKeys(`a${input}b`)).toEqual({keys: ['a', 'b'], rest: ''});
	});

	test.each([`${ESC}`, `${ESC}[`, `${ESC}O`, `${ESC}[1;`, `${ESC}[200`, paste('22').slice(0, -1)])(
		'waits for the end of %j',
		(begun) => {
			expect(splitKeys(`a${begun}`)).toEqual({keys: ['a'], rest: begun});
		},
	);

	test.each([
		['22/tcp\n53\r\n80/tcp\n', '22/tcp, 53, 80/tcp'],
		['  ssh\t\n\n', 'ssh'],
		['22\tfrom 10.0.0.0/8', '22 from 10.0.0.0/8'],
		[`ssh${ESC}[31m\u0003\u202E`, 'ssh[31m'],
	])('makes one key of pasted %j, without a line end that would submit', (pasted, key) => {
		expect(splitKeys(paste(pasted))).toEqual({keys: [key], rest: ''});
	});

	test('drops a paste without a visible character', () => {
		expect(splitKeys(`${paste('\n\n')}a`)).toEqual({keys: ['a'], rest: ''});
	});

	const piece = fc.oneof(
		fc.constantFrom(
			...['[A', '[B', 'OC', '[3~', '[6~', '[1;5P', '[[B', '[Z'].map((end) => ESC + end),
		),
		fc.constantFrom('\r', '\n', '\t', '\u007F', '\u0003'),
		fc.string({unit: 'grapheme', maxLength: 8}).map((text) => text.replaceAll(ESC, '')),
		fc.string({unit: 'binary', maxLength: 20}).map((text) => paste(text.replaceAll(ESC, ''))),
	);

	test('gives the same keys wherever the network cuts', () => {
		fc.assert(
			fc.property(fc.array(piece), fc.array(fc.nat(200)), (pieces, places) => {
				// By code points: the decoder before it joins the bytes of one.
				const input = [...pieces.join('')];
				const cuts = [0, ...places.map((place) => place % (input.length + 1)), input.length];
				cuts.sort((a, b) => a - b);
				let pending = '';
				const keys = cuts.slice(1).flatMap((cut, index) => {
					const split = splitKeys(pending + input.slice(cuts[index], cut).join(''));
					pending = split.rest;
					return split.keys;
				});
				const whole = splitKeys(input.join(''));
				expect(keys).toEqual(whole.keys);
				expect(pending).toBe(whole.rest);
			}),
		);
	});

	test('never gives a key with a line end or a control beside other characters', () => {
		fc.assert(
			fc.property(fc.array(piece), (pieces) => {
				for (const key of splitKeys(pieces.join('')).keys) {
					const alone = ['\r', '\t', '\u007F', '\u0003'].includes(key) || key.startsWith(ESC);
					expect(alone || !/\p{Cc}/u.test(key), JSON.stringify(key)).toBe(true);
				}
			}),
		);
	});
});

describe('KeyStream', () => {
	let terminal: PassThrough;
	let keys: KeyStream;
	let seen: string[];

	beforeEach(() => {
		terminal = new PassThrough();
		keys = new KeyStream(terminal);
		keys.held = false;
		seen = [];
		keys.on('data', (data) => seen.push(String(data)));
	});
	afterEach(() => keys.stop());

	test('hands over one key a turn, so that each meets the state that the last one made', async () => {
		let turn = 0;
		let running = true;
		const turns: number[] = [];
		const count = () => {
			turn += 1;
			if (running) {
				setImmediate(count);
			}
		};
		count();
		keys.on('data', () => turns.push(turn));
		terminal.write(`${ESC}[B${ESC}[B\r`);
		await vi.waitFor(() => expect(seen).toHaveLength(3));
		running = false;
		expect(new Set(turns).size).toBe(3);
	});

	test('waits with the first until somebody listens', async () => {
		const other = new PassThrough();
		const stream = new KeyStream(other);
		const heard: string[] = [];
		other.write(`${ESC}[B\r`);
		await sleep(50);
		stream.on('data', (data) => heard.push(String(data)));
		stream.held = false;
		await vi.waitFor(() => expect(heard).toEqual([`${ESC}[B`, '\r']));
		stream.stop();
	});

	test('waits with the next until all that was drawn listens', async () => {
		keys.on('data', () => {
			keys.drawing = true;
		});
		terminal.write(`${ESC}[B\r`);
		await sleep(50);
		expect(seen).toEqual([`${ESC}[B`]);
		keys.drawing = false;
		await vi.waitFor(() => expect(seen).toEqual([`${ESC}[B`, '\r']));
	});

	test('takes text only where a field is open, also when the field opens within a packet', async () => {
		keys.on('data', (data) => {
			keys.typing = String(data) === '\r';
		});
		terminal.write(`1${paste('22')}x\r2${paste('33')}`);
		await vi.waitFor(() => expect(seen).toEqual(['x', '\r', '2']));
		await sleep(0);
		expect(seen).toEqual(['x', '\r', '2']);
	});

	test('a digit is no command, whatever surrounds it', async () => {
		terminal.write('1234567890q');
		await vi.waitFor(() => expect(seen).toEqual(['q']));
	});

	test('joins a sequence that comes in two packets', async () => {
		terminal.write(ESC);
		await sleep(20);
		terminal.write('[');
		await sleep(20);
		terminal.write('B');
		await vi.waitFor(() => expect(seen).toEqual([`${ESC}[B`]));
	});

	test('a lone Escape is Escape, a moment later', async () => {
		terminal.write(ESC);
		await vi.waitFor(() => expect(seen).toEqual([ESCAPE_KEY]));
		terminal.write('q');
		await vi.waitFor(() => expect(seen).toEqual([ESCAPE_KEY, 'q']));
	});

	test('forgets a sequence that never ends', async () => {
		terminal.write(`${ESC}[1;`);
		await sleep(80);
		terminal.write('q');
		await vi.waitFor(() => expect(seen).toEqual(['q']));
	});

	test('waits for the end of a slow paste', async () => {
		keys.typing = true;
		terminal.write(`${ESC}[200~22/tcp\n5`);
		await sleep(80);
		expect(seen).toEqual([]);
		terminal.write(`3${ESC}[201`);
		await sleep(80);
		terminal.write('~');
		await vi.waitFor(() => expect(seen).toEqual(['22/tcp, 53']));
	});

	test('gives up a paste whose end never comes, so that Ctrl-C works again', async () => {
		terminal.write(`${ESC}[200~22`);
		await sleep(2300);
		terminal.write('\u0003');
		await vi.waitFor(() => expect(seen).toEqual(['\u0003']));
	});

	test('joins a character whose bytes come in two packets', async () => {
		keys.typing = true;
		const bytes = Buffer.from('é');
		terminal.write(bytes.subarray(0, 1));
		await sleep(10);
		terminal.write(bytes.subarray(1));
		await vi.waitFor(() => expect(seen).toEqual(['é']));
	});

	test('takes the terminal over at once, before anything is drawn, and gives it back', () => {
		const modes: boolean[] = [];
		const other = Object.assign(new PassThrough(), {
			setRawMode: (mode: boolean) => modes.push(mode),
		});
		const stream = new KeyStream(other);
		expect(modes).toEqual([true]);
		stream.stop();
		expect(modes).toEqual([true, false]);
	});

	test('while they are held keys wait, in their order; Ctrl-C does not', async () => {
		keys.held = true;
		terminal.write('qx');
		await sleep(20);
		expect(seen).toEqual([]);
		keys.held = false;
		await vi.waitFor(() => expect(seen).toEqual(['q', 'x']));
		keys.held = true;
		terminal.write('y\u0003z');
		await vi.waitFor(() => expect(seen).toEqual(['q', 'x', '\u0003']));
	});

	test('Ctrl-C does not wait for the keys before it', async () => {
		terminal.write(`ssh\r${ESC}[B\u0003\r`);
		await vi.waitFor(() => expect(seen).toEqual(['\u0003', '\r']));
	});

	test('Ctrl-Z hands nothing over and waits for nothing; without a meaning it is dropped', async () => {
		terminal.write('q\u001A');
		await vi.waitFor(() => expect(seen).toEqual(['q']));
		let suspended = 0;
		keys.suspend = () => {
			suspended += 1;
		};
		keys.held = true;
		terminal.write('x\u001A');
		await vi.waitFor(() => expect(suspended).toBe(1));
		keys.held = false;
		await vi.waitFor(() => expect(seen).toEqual(['q', 'x']));
	});

	test('Ctrl-L hands nothing over, also where a field takes the keys, and waits for nothing', async () => {
		let repainted = 0;
		keys.repaint = () => {
			repainted += 1;
		};
		keys.typing = true;
		keys.held = true;
		terminal.write('x\fy');
		await vi.waitFor(() => expect(repainted).toBe(1));
		keys.held = false;
		await vi.waitFor(() => expect(seen.join('')).toBe('xy'));
	});

	test('is silent after it was stopped', async () => {
		keys.stop();
		terminal.write('q');
		await sleep(60);
		expect(seen).toEqual([]);
	});
});
