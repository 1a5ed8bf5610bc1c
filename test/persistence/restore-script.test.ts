import fc from 'fast-check';
import {beforeAll, describe, expect, test} from 'vitest';
import {parseOpening} from '../../source/policy/parse-opening.ts';
import {completePolicy} from '../../source/policy/policy.ts';
import {compareRules, describeDifference, ownRules} from '../../source/ruleset/diff.ts';
import {printRestore} from '../../source/ruleset/format-iptables.ts';
import {parseSave} from '../../source/ruleset/parse-save.ts';
import {BACKENDS} from '../_helpers/lab/backends.ts';
import {BOOT, bootWith, keptBy, place, RESTORE, resum} from '../_helpers/lab/boot-script.ts';
import {unpackPackages} from '../_helpers/lab/debian-packages.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {policies} from '../_helpers/samples/arbitraries.ts';
import {NEIGHBOURS} from '../_helpers/samples/neighbours.ts';
import {foreignLines, ownLines} from '../_helpers/samples/saves.ts';

const POLICY = completePolicy({
	role: 'server',
	verdict: 'reset',
	helpers: ['ftp', 'sip'],
	log: true,
	openings: ['22/tcp limit', '21/tcp', '53', '8000-8010/tcp from 10.0.0.0/8', 'mdns'].flatMap(
		(text) => parseOpening(text, new Map()),
	),
});
const OTHER = completePolicy({
	role: 'server',
	verdict: 'drop',
	openings: parseOpening('25/tcp', new Map()),
});

const boot = (host: Host) => bootWith(host, BOOT);

describe.each(BACKENDS)('the restore script, %s', (backend) => {
	const lab = useLab();
	let host: Host;

	beforeAll(async () => {
		host = await lab.host({backend});
	});

	test('loads exactly the rules of any policy, without a word', async () => {
		await fc.assert(
			fc.asyncProperty(policies(), async (policy) => {
				const {files, ruleSet} = keptBy(policy, backend);
				place(host, files);
				const {status, stderr, ipv4, ipv6} = await boot(host);
				expect({status, stderr}).toEqual({status: 0, stderr: ''});
				for (const rules of ruleSet.families) {
					const saved = parseSave(rules.family === 4 ? ipv4 : ipv6, rules.family);
					expect(compareRules(rules, ownRules(saved)).map(describeDifference)).toEqual([]);
				}

				// The comparison is ours. iptables-restore itself leaves the very same save.
				const [four = '', six = ''] = ruleSet.families.map((rules) => printRestore(rules));
				const direct = await bootWith(
					host,
					`iptables-restore <<'END' && ip6tables-restore <<'END'\n${four}END\n${six}END`,
				);
				expect({ipv4, ipv6}).toEqual({ipv4: direct.ipv4, ipv6: direct.ipv6});
			}),
			{numRuns: 10},
		);
	});

	test('run twice loads the same as once', async () => {
		place(host, keptBy(POLICY, backend).files);
		const once = await boot(host);
		expect(once.ipv4).toContain('-A INPUT -j FW-WIZARD-INPUT\n');
		expect(await bootWith(host, `sh ${RESTORE}; sh ${RESTORE}`)).toEqual(once);
	});

	test('run by two at once, as by ifupdown, too', async () => {
		place(host, keptBy(POLICY, backend).files);
		const once = await boot(host);
		const twice = `sh ${RESTORE} & sh ${RESTORE} & wait $! && wait`;
		for (let run = 0; run < 5; run += 1) {
			expect(await bootWith(host, twice)).toEqual(once);
		}
	});

	test.each([
		['moved', '/usr/sbin/', '/usr/elsewhere/'],
		['taken its backend away', `tables-${backend}`, 'tables-gone'],
	])('loads them with the iptables that is there, where an upgrade has %s', async (_, from, to) => {
		const {files} = keptBy(POLICY, backend);
		place(host, files);
		const before = await boot(host);
		place(host, {...files, [RESTORE]: resum((files[RESTORE] ?? '').replaceAll(from, to))});
		expect(files[RESTORE]).toContain(from);
		expect(await boot(host)).toEqual(before);
	});

	test('puts its rules in the place of those of an earlier policy', async () => {
		const [earlier, {files}] = [keptBy(POLICY, backend).files, keptBy(OTHER, backend)];
		place(host, files);
		const alone = await boot(host);
		const moved = Object.entries(earlier).map(([file, text]) =>
			[file, text].map((part) => part.replaceAll('/etc/fw-wizard/', '/etc/fw-wizard/earlier/')),
		);
		place(host, {...files, ...Object.fromEntries(moved)});
		const after = await bootWith(host, `sh /etc/fw-wizard/earlier/restore && sh ${RESTORE}`);
		expect({status: after.status, stderr: after.stderr}).toEqual({status: 0, stderr: ''});
		expect(after.ipv4).toContain(alone.ipv4);
		expect(after.ipv6).toContain(alone.ipv6);
	});

	test('leaves the rules and chains of its neighbours as they are', async () => {
		place(host, keptBy(POLICY, backend).files);
		const neighbours = `iptables-restore <<'END' && ip6tables-restore <<'END'\n${NEIGHBOURS.iptables}END\n${NEIGHBOURS.ip6tables}END`;
		const [alone, before] = [await boot(host), await bootWith(host, neighbours)];
		const {status, stderr, ipv4, ipv6} = await bootWith(host, `${neighbours}\nsh ${RESTORE}`);
		expect({status, stderr}).toEqual({status: 0, stderr: ''});
		expect(foreignLines(ipv4)).toEqual(foreignLines(before.ipv4));
		expect(foreignLines(ipv6)).toEqual(foreignLines(before.ipv6));
		expect(ownLines(ipv4)).toEqual(ownLines(alone.ipv4));
		expect(ownLines(ipv6)).toEqual(ownLines(alone.ipv6));
	});

	test('means the same in every shell that may be /bin/sh', async () => {
		place(host, keptBy(POLICY, backend).files);
		const busybox = `${await unpackPackages('busybox')}/bin/busybox sh`;
		const inDash = await bootWith(host, `dash ${RESTORE}`);
		expect(inDash).toMatchObject({status: 0, stderr: ''});
		for (const shell of [busybox, 'bash --posix']) {
			expect(await bootWith(host, `${shell} ${RESTORE}`)).toEqual(inDash);
		}
	});
});
