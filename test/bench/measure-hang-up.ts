// Measures what becomes of rules that shut a person out when the terminal hangs up before they are
// confirmed: with this program, and with those of the others that are installed. Prints JSON.
import process from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';
import {spawn} from '@lydell/node-pty';
import {findProgram} from '../../source/host/exec/find-program.ts';
import {CLI} from '../_helpers/lab/cli.ts';
import {type Host, openLab} from '../_helpers/lab/lab.ts';
import type {Figure} from './statistics.ts';

/** Seconds to confirm in, and how many more are given to the one who rolls back. */
const LIMIT = 10;
const GRACE = 3;

type Tool = {
	readonly name: string;
	/** The program, where it is not ours. */
	readonly program?: string;
	readonly prepare?: (host: Host) => Promise<unknown>;
	readonly words: readonly string[];
};

const SHUT = '*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n';

const TOOLS: readonly Tool[] = [
	{
		name: 'fw-wizard apply',
		words: [
			...[process.execPath, CLI, 'apply', '--role', 'workstation'],
			...['--verdict', 'drop', '--confirm-within', `${LIMIT}`],
		],
	},
	{
		name: 'iptables-apply',
		program: 'iptables-apply',
		prepare: async (host) => host.must('tee', ['/etc/fww-rules'], {input: SHUT}),
		words: ['iptables-apply', '-t', `${LIMIT}`, '/etc/fww-rules'],
	},
	{
		name: 'ferm --interactive',
		program: 'ferm',
		prepare: async (host) =>
			host.must('tee', ['/etc/ferm/ferm.conf'], {
				input: 'table filter chain INPUT { policy DROP; interface lo ACCEPT; }\n',
			}),
		words: ['ferm', '--interactive', '--timeout', `${LIMIT}`, '/etc/ferm/ferm.conf'],
	},
];

/** A machine without rules, and one in which the terminal is taken away once the new ones are there. */
async function measure({name, prepare, words}: Tool): Promise<Figure> {
	const lab = openLab();
	try {
		const host = await lab.host({backend: 'legacy'});
		await prepare?.(host);
		const rules = async () =>
			(await host.must('iptables-save', ['-t', 'filter']))
				.split('\n')
				.filter((line) => /^-A|^:INPUT DROP/.test(line)).length;
		const [program = '', ...args] = [...host.enter, ...words];
		const terminal = spawn(program, args, {
			env: {...process.env, ...host.variables, TERM: 'xterm'},
		});
		const end = performance.now() + 10_000;
		while ((await rules()) === 0 && performance.now() < end) {
			await delay(50);
		}

		const loaded = await rules();
		terminal.kill('SIGHUP');
		await delay((LIMIT + GRACE) * 1000);
		const back = loaded > 0 && (await rules()) === 0;
		return {
			name: `the terminal hangs up before rules are confirmed: ${name}`,
			value: loaded === 0 ? 'did not load' : back ? 'the old rules are back' : 'the new rules stay',
			...(name.startsWith('fw-wizard') ? {limit: 'the old rules are back', kept: back} : {}),
		};
	} finally {
		await lab.close();
	}
}

const figures: Figure[] = [];
for (const tool of TOOLS.filter(({program}) => !program || findProgram(program))) {
	figures.push(await measure(tool));
}

console.log(JSON.stringify(figures));
process.exit();
