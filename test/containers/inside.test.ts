import {beforeAll, describe, expect, test} from 'vitest';
import type {Exposed} from '../../source/exposure/model.ts';
import {PROGRAM, useDebians} from '../_helpers/lab/debian.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {BEDS, CONTAINERS} from './containers.ts';
import {type ContainerHost, openBed} from './open-bed.ts';

const DATABASE = 5432;
const SERVER = ['--role', 'server', '--no-helper', '--open', '22/tcp', '--published', 'leave'];
const SERVE = `require('node:net').createServer((socket) => socket.on('error', () => {}).write('hello')).listen(${DATABASE}, '0.0.0.0', () => console.log('listens'));`;
const CONNECT = (address: string, port: number, then: string) =>
	`const socket = require('node:net').connect({port: ${port}, host: '${address}', timeout: 1500}); socket.write('x'); socket.on('data', () => {console.log('works'); ${then}}).on('error', () => process.exit(1)).on('timeout', () => process.exit(1));`;

describe.each(BEDS.slice(0, rounds(1, BEDS.length)))(
	'what containers use of their host: $program of $suite, $backend, $daemon',
	(bed) => {
		const {program} = bed;
		const isProxied = program === 'docker' && bed.daemon === undefined;
		const debians = useDebians(useLab());
		let host: ContainerHost;

		beforeAll(async () => {
			host = await openBed(debians, bed, CONTAINERS.slice(0, 1));
			await host.compose('up');
			await host.host.start('node', ['-e', SERVE], /listens/);
		}, 600_000);

		/** Words that run a program in the network of a container, and the address of its gateway. */
		const enter = async (name: string) => {
			const format = ['inspect', '--format', '{{.State.Pid}}', name];
			const pid = (await host.host.must(program, format)).trim();
			const words = ['-t', pid, '-n'];
			const routes = await host.host.must('nsenter', [...words, 'ip', '-4', 'route']);
			return {words, gateway: /^default via (\S+)/m.exec(routes)?.[1] ?? ''};
		};

		const works = async (name: string, port = DATABASE) => {
			const {words, gateway} = await enter(name);
			const code = CONNECT(gateway, port, 'process.exit(0);');
			return (await host.host.run('nsenter', [...words, 'node', '-e', code])).status === 0;
		};

		const apply = async (...words: readonly string[]) =>
			host.host.run('node', [PROGRAM, 'apply', ...SERVER, ...words, '--yes']);

		test('is named by the names of container and network, and stays open to a network that is made anew', async () => {
			const {words, gateway} = await enter('composed');
			await host.host.start(
				...([
					'nsenter',
					[...words, 'node', '-e', CONNECT(gateway, DATABASE, 'socket.setTimeout(0);')],
					/works/,
				] as const),
			);
			expect([await works('composed'), await works('many')]).toEqual([true, true]);
			const network = program === 'docker' ? 'compose_default' : 'composed';
			const {rows} = JSON.parse(
				await host.host.must('node', [PROGRAM, 'exposure', ...SERVER, '--json']),
			) as {rows: readonly Exposed[]};
			const ofDatabase = rows.filter(
				({ports, from}) =>
					ports.some(({first}) => first === DATABASE) && from.includes(`containers of ${network}`),
			);
			expect(ofDatabase).toMatchObject([{before: 'open', after: 'shut'}]);
			if (isProxied) {
				// A container reaches what its own network publishes by Docker's proxy, which INPUT decides on.
				expect(await works('many', 8080)).toBe(true);
				const ofProxy = rows.filter(
					({ports, from, families}) =>
						ports.some(({first}) => first === 8080) &&
						families.includes(4) &&
						from.includes('containers on docker0'),
				);
				expect(ofProxy).toMatchObject([{before: 'open', after: 'shut'}]);
			}

			const {stderr} = await apply();
			const sentence = stderr.split('\n').find((line) => line.includes(`${DATABASE}/tcp on`)) ?? '';
			expect(sentence).toContain(`containers of ${network} (composed uses it now)`);
			expect([await works('composed'), await works('many')]).toEqual([false, false]);
			if (isProxied) {
				expect(await works('many', 8080)).toBe(false);
			}

			const [, opening = ''] = /To open: .*?(5432\/tcp on [\w+-]+)/.exec(sentence) ?? [];
			expect(opening).toMatch(program === 'docker' ? /on br-\+$/ : /on podman\d$/);
			await apply('--open', opening);
			expect([await works('composed'), await works('many')]).toEqual([true, false]);
			if (program === 'docker') {
				await host.compose('down');
				await host.compose('up');
				expect(await works('composed')).toBe(true);
			}

			await host.host.must('node', [PROGRAM, 'undo', '--all']);
			expect([await works('composed'), await works('many')]).toEqual([true, true]);
		}, 300_000);
	},
);
