import {writeFileSync} from 'node:fs';
import process from 'node:process';
import {beforeAll, describe, expect, test} from 'vitest';
import * as z from 'zod';
import type {LoggedLine} from '../../source/app/inspect/log.ts';
import {SCHEMA_NAMES, type SchemaName} from '../../source/commands/options/words.ts';
import {SCHEMAS} from '../../source/commands/schema/outputs.ts';
import {type LoggedPacket, parseLogLine} from '../../source/ruleset/parse-log.ts';
import {CLI, wizard} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {joinedPair, serve} from '../_helpers/lab/pair.ts';
import {inView} from '../_helpers/lab/view-files.ts';

const PUBLISH = `\
*nat
:PREROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
COMMIT
`;

const SCAN =
	'<nmaprun><host><address addr="198.51.100.1" addrtype="ipv4"/><ports><port protocol="tcp" portid="22"><state state="open"/></port></ports></host></nmaprun>';

/** A schema, and a command that prints such JSON; each behind those before it. */
const OUTPUTS: ReadonlyArray<readonly [name: SchemaName, command: string]> = [
	['status', 'status'],
	['rules', 'rules --role server --log'],
	['error', 'apply --role router'],
	['error', 'diff'],
	['error', 'confirm'],
	['apply', 'apply --role server --open 22/tcp --log --yes --published leave'],
	['open', 'open 9090/tcp'],
	['open', 'open 9090/tcp'],
	['close', 'close 9090/tcp'],
	['status', 'status'],
	['why', 'why 22'],
	['why', 'why 203.0.113.60 22 --prove'],
	['why', 'why 8080'],
	['diff', 'diff'],
	['diff', 'diff 1'],
	['log', 'log'],
	['check', 'check'],
	['status', 'status'],
	['watch', 'watch on'],
	['report', 'report'],
	['report', 'report --prove'],
	['exposure', 'exposure'],
	['exposure', 'exposure --packet icmp'],
	['exposure', 'exposure --role server --packet icmp'],
	['export', 'export nft'],
	['export', 'export ansible --role-dir /etc/fww-role'],
	['facts', 'facts'],
	['facts', 'facts --mask'],
	['prove', 'prove --role server --open 22/tcp'],
	['prove', 'prove --of running'],
	['prove', 'prove --nmap /etc/scan.xml'],
	['undo', 'undo --list'],
	['undo', 'undo'],
	['undo', 'undo --all'],
];

/** As the kernel writes it (nf_log_syslog.c). */
const LOGGED =
	'fw-wizard: IN=eth0 OUT= MAC=02:00:00:00:00:01:02:00:00:00:00:02:08:00 SRC=203.0.113.9 DST=198.51.100.1 LEN=40 TOS=0x00 PREC=0x00 TTL=64 ID=1 PROTO=TCP SPT=1234 DPT=23 WINDOW=1024 RES=0x00 SYN URGP=0 ';

describe('each JSON output', () => {
	const lab = useLab();
	let target: Host;

	beforeAll(async () => {
		({target} = await joinedPair(lab, 'nft'));
		await target.ip(['route add default via 198.51.100.2', 'route add default via 2001:db8::2']);
		await serve(target, 'tcp:22', 'udp:53');
		writeFileSync(inView(target, '/etc/scan.xml'), SCAN);
		await target.must('iptables-restore', [], {input: PUBLISH});
		await target.must('iptables', ['-N', 'f2b-sshd']);
		await target.must('iptables', ['-A', 'f2b-sshd', '-s', '203.0.113.60', '-j', 'REJECT']);
		await target.must('iptables', ['-I', 'INPUT', '-p', 'tcp', '--dport', '22', '-j', 'f2b-sshd']);
	});

	test('has a schema, and each schema an output', () => {
		expect([...SCHEMA_NAMES].sort()).toEqual(Object.keys(SCHEMAS).sort());
		expect(Object.keys(SCHEMAS).filter((name) => name !== 'policy' && name !== 'confirm')).toEqual(
			expect.arrayContaining([...new Set(OUTPUTS.map(([name]) => name))]),
		);
	});

	test('is as its schema says, and has no field more', async () => {
		for (const [name, command] of OUTPUTS) {
			const {stdout} = await wizard(target, ...command.split(' '), '--json');
			const value = JSON.parse(stdout);
			const printed = (await wizard(target, 'schema', name)).stdout;
			const told = z.fromJSONSchema(JSON.parse(printed)).safeParse(value);
			expect([command, told.error?.issues]).toEqual([command, undefined]);
			// As published, a schema allows fields of later versions.
			const schema = SCHEMAS[name]();
			const strict = z.fromJSONSchema(z.toJSONSchema(schema, {io: 'output'}) as never);
			expect([command, strict.safeParse(value).error?.issues]).toEqual([command, undefined]);
			if (value.policy) {
				const {stdout: policy} = await wizard(target, 'schema', 'policy');
				expect(z.fromJSONSchema(JSON.parse(policy)).safeParse(value.policy).success).toBe(true);
			}
		}
	}, 300_000);

	test('is so of a line of log --follow', async () => {
		const printed = (await wizard(target, 'schema', 'log-follow')).stdout;
		const packet = parseLogLine(LOGGED);
		expect(packet).toBeDefined();
		const line: LoggedLine = {
			...(packet as LoggedPacket),
			time: new Date().toISOString(),
			programs: ['node'],
		};
		expect(z.fromJSONSchema(JSON.parse(printed)).safeParse(line).error?.issues).toBeUndefined();
		const strict = z.toJSONSchema(SCHEMAS['log-follow'](), {io: 'output'});
		expect(z.fromJSONSchema(strict as never).safeParse(line).error?.issues).toBeUndefined();
	});

	test('is so of a confirmation', async () => {
		const words = [CLI, 'apply', '--role', 'server', '--published', 'leave'];
		const applying = await target.start(
			process.execPath,
			[...words, '--confirm-within', '600'],
			/confirm/i,
		);
		const {stdout} = await wizard(target, 'confirm', 'keep', '--json');
		const schema = z.fromJSONSchema(JSON.parse((await wizard(target, 'schema', 'confirm')).stdout));
		expect(schema.safeParse(JSON.parse(stdout)).error?.issues).toBeUndefined();
		await applying.stop();
	}, 120_000);

	test('of a policy refuses what the program refuses', async () => {
		const {stdout} = await wizard(target, 'schema', 'policy');
		const schema = z.fromJSONSchema(JSON.parse(stdout));
		const policy = {version: 1, role: 'server', openings: ['22/tcp']};
		expect(schema.safeParse(policy).success).toBe(true);
		for (const wrong of [
			{...policy, role: 'router'},
			{...policy, colour: 'red'},
			{...policy, log: 'yes'},
			{role: 'server'},
		]) {
			expect(schema.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false);
		}
	});
});
