import {mkdirSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import type {Backend} from '../../../source/host/netfilter/iptables.ts';
import {cksum} from '../../../source/lib/cksum.ts';
import {FAMILIES} from '../../../source/lib/network.ts';
import {quote} from '../../../source/lib/shell-quote.ts';
import {RUN_RESTORE} from '../../../source/persistence/init/run-restore.ts';
import {planPersistence} from '../../../source/persistence/plan.ts';
import {SUM_LINE} from '../../../source/persistence/restore-script.ts';
import type {Policy} from '../../../source/policy/policy.ts';
import {compilePolicy} from '../../../source/ruleset/build.ts';
import type {RuleSet} from '../../../source/ruleset/model.ts';
import {plain, type Saves} from '../samples/saves.ts';
import type {Host} from './namespaces.ts';
import {inView} from './view-files.ts';

export const RESTORE = '/etc/fw-wizard/restore';

/** What the boot runs, as a shell command. */
export const BOOT = `sh -c ${quote(RUN_RESTORE)}`;

/** A restore script that was edited, with the checksum that it has then: as if it were written so. */
export function resum(script: string): string {
	const body = script.slice(script.indexOf('\n') + 1);
	return `${SUM_LINE}${cksum(body)}\n${body}`;
}

/** What keeping a policy would write on this machine, and the rules that it means. */
export function keptBy(policy: Policy, backend: Backend): {files: Files; ruleSet: RuleSet} {
	const compiled = compilePolicy(policy, {families: FAMILIES});
	const {files} = planPersistence(compiled, backend).keep;
	const own = Object.entries(files).flatMap(([file, content]) =>
		content && file.startsWith('/etc/fw-wizard/') ? [[file, content.text]] : [],
	);
	return {
		files: Object.fromEntries(own),
		ruleSet: compiled.ruleSet,
	};
}

/** Texts by path. */
export type Files = Readonly<Record<string, string>>;

/** Puts files on a test machine, as its only ones in /etc/fw-wizard. */
export function place(host: Host, files: Files): void {
	rmSync(inView(host, '/etc/fw-wizard'), {recursive: true, force: true});
	for (const [file, text] of Object.entries(files)) {
		mkdirSync(inView(host, path.dirname(file)), {recursive: true});
		writeFileSync(inView(host, file), text, {mode: 0o600});
	}
}

export type Booted = Saves & {readonly status: number | undefined; readonly stderr: string};

/**
 * Runs a shell command in a fresh network namespace, as the boot does, and reads the rules that are
 * there afterwards.
 */
export async function bootWith(host: Host, command: string): Promise<Booted> {
	const lines = [
		`(${command}\n)`,
		'status=$?',
		'iptables-save || exit 99',
		'echo "# IPv6"',
		'ip6tables-save || exit 99',
		'exit $status',
	];
	const {status, stdout, stderr} = await host.run('unshare', [
		...['--net', '--', 'sh', '-c', lines.join('\n')],
	]);
	const [ipv4 = '', ipv6 = ''] = stdout.split('# IPv6\n');
	return {status, stderr, ipv4: inOrder(ipv4), ipv6: inOrder(ipv6)};
}

/** Which table comes first in a save depends on which was used first. */
function inOrder(save: string): string {
	return plain(save)
		.split(/(?<=^COMMIT\n)/m)
		.sort()
		.join('');
}
