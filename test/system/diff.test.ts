import {writeFileSync} from 'node:fs';
import path from 'node:path';
import {beforeAll, describe, expect, test} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {joinedPair} from '../_helpers/lab/pair.ts';

const FIRST = ['--role', 'server', '--open', '22/tcp', '--open', '53'];
const SECOND = [
	...['--role', 'server', '--verdict', 'drop', '--open', '22/tcp', '--block', '203.0.113.9'],
	...['--open', '5432/tcp from 10.0.0.0/8', '--open', '8000-8010/tcp'],
];

const onePort = (port: number) => [{first: port, last: port}];

describe.each(mainly('nft'))('what opens and closes (%s)', (backend) => {
	const lab = useLab();
	let host: Host;

	async function diff(...words: readonly string[]) {
		const {status, stdout, stderr} = await wizard(host, 'diff', '--json', ...words);
		expect(stderr).toBe('');
		return {status, ...JSON.parse(stdout)};
	}

	beforeAll(async () => {
		({target: host} = await joinedPair(lab, backend));
		await wizardDoes(host, 'apply', ...FIRST);
		await wizardDoes(host, 'apply', ...SECOND);
	}, 120_000);

	test('since a change, and to whom', async () => {
		expect(await diff('1')).toMatchObject({
			status: 1,
			...{from: 'change 1', to: 'the applied policy', unknown: [], rules: [], notes: []},
			opens: [
				{
					...{protocol: 'tcp', ports: [{first: 8000, last: 8010}]},
					...{families: [4, 6], from: 'anywhere'},
				},
				{protocol: 'tcp', ports: onePort(5432), families: [4], from: '10.0.0.0/8'},
			],
			closes: [
				{protocol: 'tcp', ports: onePort(53), families: [4, 6], from: 'anywhere'},
				{protocol: 'udp', ports: onePort(53), families: [4, 6], from: 'anywhere'},
				{protocol: 'tcp', ports: onePort(22), families: [4], from: '203.0.113.9'},
			],
		});
		expect((await wizard(host, 'diff', '1')).stdout).toContain(
			'Opens:\n  8000-8010/tcp from anywhere\n  5432/tcp from 10.0.0.0/8, IPv4\nCloses:\n',
		);
	});

	test('between two policy files, in both directions', async () => {
		const files = await Promise.all(
			[FIRST, SECOND].map(async (flags, index) => {
				const {policy} = JSON.parse(await wizardDoes(host, 'rules', '--json', ...flags));
				const file = path.join(host.folder, `${index}.json`);
				writeFileSync(file, JSON.stringify(policy));
				return file;
			}),
		);
		const there = await diff(...files);
		const back = await diff(...files.toReversed());
		expect(there.opens).toHaveLength(2);
		expect([back.opens, back.closes]).toEqual([there.closes, there.opens]);
		expect(await diff(files[0] ?? '', files[0] ?? '')).toMatchObject({status: 0, opens: []});
	});

	test('between the applied policy and what packets find', async () => {
		expect(await diff()).toMatchObject({
			...{status: 0, opens: [], closes: [], unknown: [], rules: [], notes: []},
			to: 'the running rules',
		});
		await host.must('iptables', ['-I', 'INPUT', '-p', 'tcp', '--dport', '9000', '-j', 'ACCEPT']);
		await host.must('ip6tables', ['-I', 'INPUT', '-p', 'tcp', '--dport', '22', '-j', 'DROP']);
		await host.must('nft', ['add table inet mine']);
		await host.must('nft', ['add chain inet mine input { type filter hook input priority -5; }']);
		await host.must('nft', ['add rule inet mine input tcp dport 8003 drop']);
		await host.must('iptables', ['-D', 'FW-WIZARD-INPUT', '4']);
		const found = await diff();
		expect(found).toMatchObject({
			status: 1,
			opens: [{protocol: 'tcp', ports: onePort(9000), families: [4], from: 'anywhere'}],
			closes: [
				{protocol: 'tcp', ports: onePort(8003), families: [4], from: 'anywhere'},
				{protocol: 'tcp', ports: [22, 8003].flatMap(onePort), families: [6], from: 'anywhere'},
			],
		});
		expect(found.rules[0]).toMatch(/^IPv4, rule 4 of FW-WIZARD-INPUT/);
	}, 120_000);

	test.each([
		['a change that is not there', ['77'], 'Change 77 is not remembered'],
		['a file that is not there', ['/nowhere.json'], 'cannot be read'],
		['a word for nothing', ['now'], 'Write applied, running, the number of a change'],
		['a third word', ['1', '2', '3'], 'a word too many'],
	])('refuses %s', async (_, words, message) => {
		const {status, stderr} = await wizard(host, 'diff', ...words);
		expect(status).toBe(2);
		expect(stderr).toContain(message);
	});
});
