import {existsSync, readFileSync} from 'node:fs';
import {readAppliedPolicy} from '../change/applied.ts';
import type {Keeping} from '../change/kept-files.ts';
import {CONFIG_DIR, POLICY_FILE, RESTORE_FILE, TICKS_FILE} from '../change/paths.ts';
import {listChanges, stateOf} from '../change/record.ts';
import type {Facts} from '../host/facts.ts';
import {type Saved, save} from '../host/iptables.ts';
import {findHelpers} from '../host/modules.ts';
import {run} from '../host/run.ts';
import {helperOf} from '../policy/helpers.ts';
import {InputError} from '../policy/input-error.ts';
import type {Policy} from '../policy/policy.ts';
import {nmapCommands} from '../proof/nmap.ts';
import {buildRuleSet} from '../ruleset/build.ts';
import {compareRules, describeDifference, ownRules} from '../ruleset/compare.ts';
import {lintJumps} from '../ruleset/lint.ts';
import type {RuleSet} from '../ruleset/ruleset.ts';
import {findFileFault, findFolderFault} from './boot-files.ts';
import {rehearseBoot} from './boot-rehearsal.ts';
import {findWay, planPersistence} from './index.ts';
import {failed, type Item, ok, open, TICKS, type Tick, unless} from './item.ts';
import {OPENRC_LINK} from './openrc.ts';
import {checkRivals} from './rivals.ts';
import {MODULES_LOAD_FILE, UNIT, UNIT_FILE} from './systemd.ts';

/**
 * Is the firewall what was applied, and will it be after a boot? All items, in the order in which
 * one would look.
 * @throws {HostError} when the rules cannot be read at all
 */
export async function runChecklist(facts: Facts): Promise<readonly Item[]> {
	const title = 'the policy is stored and readable';
	let policy: Policy | undefined;
	try {
		policy = readAppliedPolicy(facts.services);
	} catch (error) {
		if (error instanceof InputError) {
			return [failed('policy', title, error.message, 'Apply the policy again')];
		}

		throw error;
	}

	if (policy === undefined) {
		return [failed('policy', title, 'none was applied and kept', 'fw-wizard, or fw-wizard apply')];
	}

	const ruleSet = buildRuleSet(policy, facts);
	const saves = await Promise.all(ruleSet.families.map(async ({family}) => save(family)));
	const running = checkRunning(ruleSet, saves);
	return [
		ok('policy', title),
		...running,
		checkJumps(saves),
		...(await checkBoot(policy, ruleSet, facts)),
		await checkHelpers(policy),
		await checkRivals(),
		...checkTicks(facts),
		checkSurvival(running.every(({state}) => state === 'ok')),
	];
}

function checkRunning(ruleSet: RuleSet, saves: readonly Saved[]): readonly Item[] {
	return ruleSet.families.map((rules, index) => {
		const saved = saves[index];
		const [difference] = saved ? compareRules(rules, ownRules(saved.rules)) : [];
		return unless(
			`running-ipv${rules.family}`,
			`the running IPv${rules.family} rules are those of the policy`,
			difference && describeDifference(difference),
		);
	});
}

function checkJumps(saves: readonly Saved[]): Item {
	const [id, title] = ['reached', 'our rules are reached'] as const;
	const [fault] = saves.flatMap(({rules}) => lintJumps(rules));
	return fault?.foreign
		? failed(
				id,
				title,
				fault.text,
				'Take that rule away; see: iptables -S INPUT; ip6tables -S INPUT',
			)
		: unless(id, title, fault?.text);
}

async function checkBoot(policy: Policy, ruleSet: RuleSet, facts: Facts): Promise<readonly Item[]> {
	const way = findWay();
	if (!way) {
		return [
			failed(
				...([
					'boot',
					'the rules are loaded at boot',
					'how this machine boots is not known',
				] as const),
				'Run at boot: fw-wizard rules --format restore | iptables-restore --noflush',
			),
		];
	}

	const {files} = planPersistence(policy, ruleSet, facts.iptables?.backend ?? 'nft').keep;
	const ours = Object.entries(files).filter(([file]) => file !== MODULES_LOAD_FILE);
	const backend = backendFault(files[RESTORE_FILE]?.text ?? '');
	const fault =
		findFolderFault(CONFIG_DIR) ??
		findFileFault({...asItIs(POLICY_FILE, 0o600), ...Object.fromEntries(ours)});
	return [
		unless(
			'files',
			'the restore script and the rule files are intact',
			backend === undefined ? fault : undefined,
		),
		unless(
			'service',
			`the boot service (${way.name}) is enabled and valid`,
			await serviceFault(way.name),
		),
		unless('rehearsal', 'what the boot runs loads the same rules', await rehearseBoot(ruleSet)),
		unless('backend', 'the boot uses the same backend of iptables', backend),
	];
}

/** Which iptables the script on disk calls, beside the one that is in use now. */
function backendFault(wanted: string): string | undefined {
	const programs = (text: string) =>
		[...text.matchAll(/^tool='(.*)'$/gm)].map(([, name]) => name).join(', ');
	const found = programs(readOrEmpty(RESTORE_FILE));
	return found === '' || found === programs(wanted)
		? undefined
		: `at boot ${found}, now ${programs(wanted)}`;
}

async function serviceFault(way: string): Promise<string | undefined> {
	if (way === 'openrc') {
		return existsSync(OPENRC_LINK) ? undefined : 'fw-wizard is not in the runlevel boot';
	}

	if (way !== 'systemd') {
		return undefined;
	}

	const {stdout} = await run('systemctl', ['is-enabled', UNIT]);
	const state = stdout.trim() || 'not there';
	if (state !== 'enabled') {
		return `${UNIT} is ${state}`;
	}

	const verified = await run('systemd-analyze', ['--man=no', 'verify', UNIT_FILE]);
	return verified.status === 0 || verified.status === undefined
		? undefined
		: `systemd-analyze: ${verified.stderr.split('\n')[0]}`;
}

async function checkHelpers(policy: Policy): Promise<Item> {
	const [id, title] = ['helpers', 'the helpers are usable, and loaded at boot'] as const;
	if (policy.helpers.length === 0) {
		return ok(id, title);
	}

	const available = await findHelpers();
	const missing = policy.helpers.filter((name) => available.get(name) === 'no');
	if (missing.length > 0) {
		return failed(
			...([id, title, `this kernel does not have ${missing.join(', ')}`] as const),
			'Install the kernel modules again, or apply a policy without them',
		);
	}

	if (findWay()?.name !== 'systemd') {
		// The restore script loads them itself.
		return ok(id, title);
	}

	const listed = readOrEmpty(MODULES_LOAD_FILE).split('\n');
	const unlisted = policy.helpers.filter((name) => !listed.includes(helperOf(name).module));
	return unless(
		id,
		title,
		unlisted.length > 0
			? `${MODULES_LOAD_FILE} does not list ${unlisted.join(', ')}`
			: findFileFault(asItIs(MODULES_LOAD_FILE, 0o644)),
	);
}

/** To ask only who may write a file, whatever is in it. */
function asItIs(file: string, mode: number): Keeping['files'] {
	return {[file]: {text: readOrEmpty(file), mode}};
}

function checkTicks({interfaces}: Facts): readonly Item[] {
	const ticks = readTicks();
	const address = interfaces[0]?.addresses[0]?.split('/')[0] ?? 'HOST';
	const [scan] = nmapCommands([address]);
	const texts: Readonly<Record<Tick, readonly [string, string, string]>> = {
		scanned: [
			'scanned from another machine',
			`${scan?.command}; then fw-wizard prove --nmap scan.xml`,
			'scanned',
		],
		'way-in': ['there is a way in if all fails: console, rescue system', 'try it once', 'way-in'],
	};
	return TICKS.map((tick) => {
		const [title, how, name] = texts[tick];
		return ticks.includes(tick)
			? ok(tick, title)
			: open(tick, title, how, `when it is done: fw-wizard check --tick ${name}`);
	});
}

/** Whether the machine has booted since a policy was last kept. */
export function hasBooted(): boolean {
	const kept = listChanges().findLast(({id}) => stateOf(id) === 'done');
	return kept !== undefined && kept.bootId !== readOrEmpty(BOOT_ID).trim();
}

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** The machine has booted since the policy was kept, and the rules are back. */
function checkSurvival(running: boolean): Item {
	const [id, title] = ['survived', 'the rules have survived a boot'] as const;
	return !hasBooted()
		? open(id, title, 'the machine has not booted since', 'reboot, then: fw-wizard check')
		: running
			? ok(id, title)
			: failed(id, title, 'after the boot other rules are there', 'fw-wizard check --fix');
}

/** What the user has ticked off. */
export function readTicks(): readonly Tick[] {
	try {
		const ticks = JSON.parse(readOrEmpty(TICKS_FILE)) as unknown;
		return TICKS.filter((tick) => Array.isArray(ticks) && ticks.includes(tick));
	} catch {
		return [];
	}
}

function readOrEmpty(file: string): string {
	try {
		return readFileSync(file, 'utf8');
	} catch {
		return '';
	}
}
