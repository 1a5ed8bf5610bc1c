import process from 'node:process';
import {describe, expect, test} from 'vitest';
import {CLI} from '../_helpers/lab/cli.ts';
import {execute} from '../_helpers/lab/programs.ts';

/** Before the program begins, Node says that this is another system. */
const MACOS = `data:text/javascript,${encodeURIComponent("Object.defineProperty(process, 'platform', {value: 'darwin'})")}`;

async function onMacos(line: string) {
	const args = line === '' ? [] : line.split(' ');
	return execute([process.execPath, '--import', MACOS, CLI, ...args]);
}

describe('on macOS', () => {
	test.each(['', '--rehearse', 'status', 'apply --role server', 'rules --role server --rehearse'])(
		'fw-wizard %s says that it must run on Linux, and how',
		async (line) => {
			const {status, stderr} = await onMacos(line);
			const name = line.startsWith('-') ? '' : line.split(' ')[0];
			expect(status).toBe(3);
			expect(stderr).toMatch(/^fw-wizard: macOS has no iptables: .* must run on Linux$/m);
			expect(stderr.trimEnd()).toMatch(new RegExp(` --host USER@SERVER ?${name}$`));
		},
	);

	test.each(['rules --role server', 'export nft --role server', 'schema status', 'help', 'man'])(
		'fw-wizard %s works',
		async (line) => {
			expect(await onMacos(line)).toMatchObject({status: 0, stderr: ''});
		},
	);

	test('--host works', async () => {
		const {status, stderr} = await onMacos('--host fww.invalid status');
		expect(status).toBe(3);
		expect(stderr).toMatch(/^fw-wizard: No connection to fww\.invalid: /);
	});
});
