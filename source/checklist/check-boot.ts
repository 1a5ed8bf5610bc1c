import {CONFIG_DIR, POLICY_FILE, RESTORE_FILE} from '../change/paths.ts';
import {run} from '../host/exec/run.ts';
import {readText} from '../host/files/read-text.ts';
import {findUntrusted} from '../host/files/trust.ts';
import type {FactsWithIptables} from '../host/machine/facts.ts';
import {commandLine} from '../lib/command-line.ts';
import {HostError} from '../lib/errors.ts';
import {printable} from '../lib/printable.ts';
import {findBootLoaders} from '../persistence/boot-loaders/find.ts';
import {type BootFindings, judgeLoaders} from '../persistence/boot-loaders/judge.ts';
import type {BootLoader} from '../persistence/boot-loaders/model.ts';
import {UnitFiles} from '../persistence/boot-loaders/unit-files.ts';
import {MODULES_LOAD_FILE, UNIT, UNIT_FILE} from '../persistence/init/systemd.ts';
import type {InitSystem} from '../persistence/init-system.ts';
import {findInitSystem, planPersistence, readChoice} from '../persistence/plan.ts';
import {describeMeanwhile} from '../persistence/watch/choice.ts';
import type {CompiledPolicy} from '../ruleset/build.ts';
import {failed, type Item, joinTexts, ok, open, unless} from './checklist-item.ts';
import {findOrderCycle} from './order-cycle.ts';
import {type Rehearsal, rehearseBoot} from './simulate-boot.ts';
import {asItIs, findFileFault} from './verify-files.ts';

/**
 * Whether the next boot loads the rules of the policy: its files, its service, and a rehearsal of
 * it.
 */
export async function checkBoot(
	compiled: CompiledPolicy,
	facts: FactsWithIptables,
	full: boolean,
): Promise<readonly Item[]> {
	const initSystem = findInitSystem();
	if (!initSystem) {
		return [
			failed(
				...([
					'boot',
					'the rules are loaded at boot',
					'how this machine boots is not known',
				] as const),
				`Choose it: ${commandLine('apply --boot')} systemd, openrc, ifupdown, sysvinit, or none`,
			),
		];
	}

	const {files} = planPersistence(compiled, facts.iptables.backend).keep;
	const ours = Object.entries(files).filter(([file]) => file !== MODULES_LOAD_FILE);
	const backend = backendFault(files[RESTORE_FILE]?.text ?? '');
	const folder = findUntrusted(CONFIG_DIR);
	const rehearse = async () => {
		const loaders = await findBootLoaders(initSystem.name, facts.iptables.backend);
		return {loaders, rehearsal: await rehearseBoot(compiled, facts, loaders, full)};
	};
	const fault =
		(folder && `${folder.file} ${folder.fault}`) ??
		findFileFault({...asItIs(POLICY_FILE, 0o600), ...Object.fromEntries(ours)});
	const [service, cycle, {loaders, rehearsal}] = await Promise.all([
		serviceFault(initSystem),
		initSystem.name === 'systemd' ? findOrderCycle() : undefined,
		rehearse(),
	]);
	return [
		unless(
			'files',
			'the restore script and the rule files are intact',
			backend === undefined ? fault : undefined,
		),
		describeService(initSystem, service),
		...(cycle === undefined
			? []
			: [
					failed(
						...(['order', 'systemd can start the boot service in order', cycle] as const),
						'Take what needs the network out of that order: After= of a unit, or of fstab by x-systemd.automount or noauto',
					),
				]),
		...describeRehearsal(rehearsal, full),
		...describeLoaders(loaders, rehearsal instanceof HostError ? undefined : rehearsal),
		unless('backend', 'the boot uses the same backend of iptables', backend),
	];
}

function describeService(initSystem: InitSystem, fault: string | undefined): Item {
	if (initSystem.name === 'none') {
		return open(
			...([
				'service',
				'the restore script is run at boot',
				'you have chosen to see to that yourself (--boot none)',
			] as const),
			`Have it run before the network comes up: sh ${RESTORE_FILE}`,
		);
	}

	const chosen = readChoice() === undefined ? '' : ', as you chose';
	const title = `the boot service (${initSystem.name}${chosen}) is enabled and valid`;
	const override = findOverride(initSystem);
	return override === undefined
		? unless('service', title, fault)
		: failed(
				...(['service', title, override] as const),
				'Remove that line, then: systemctl daemon-reload',
			);
}

function describeRehearsal(rehearsal: Rehearsal | HostError, full: boolean): readonly Item[] {
	const [rules, ports] = [
		['rehearsal', 'what the boot runs loads the same rules'],
		['ports', 'packets find the same ports open then'],
	] as const;
	if (rehearsal instanceof HostError) {
		const {message, hint} = rehearsal;
		return [rules, ports].map(([id, title]) => open(id, title, `not tried: ${message}`, hint));
	}

	const sent = `${rehearsal.probes} packets${full ? ', to all ports' : ''}`;
	return [
		unless(...rules, rehearsal.rules),
		rehearsal.ports !== undefined && rehearsal.byOthers
			? failed(
					...([...ports, rehearsal.ports] as const),
					'Take out what loads these rules at boot, or put the ports into the policy',
				)
			: unless(ports[0], `${ports[1]} (${sent})`, rehearsal.ports),
	];
}

/** Compares the iptables that the script on disk calls with the one that is in use now. */
function backendFault(wanted: string): string | undefined {
	const programs = (text: string) =>
		[...text.matchAll(/^choose '(.*)'$/gm)].map(([, name]) => name).join(', ');
	const found = programs(readText(RESTORE_FILE) ?? '');
	return found === '' || found === programs(wanted)
		? undefined
		: `at boot ${found}, now ${programs(wanted)}`;
}

/** Directives of a drop-in that change neither whether nor when the unit loads the rules, nor in what (systemd.unit(5)). */
const HARMLESS =
	/^(?:Description|Documentation|Timeout\w*Sec|TimeoutStopFailureMode|Nice|OOM\w+|\w*Weight|Syslog\w+|Standard(?:Output|Error)|LogLevelMax|LogExtraFields|Wants|OnFailure|OnSuccess|X-.*)$/;

/** The line of somebody's drop-in that changes our unit, which only the user may take away. */
function findOverride({name}: InitSystem): string | undefined {
	const [line] = (name === 'systemd' ? new UnitFiles().read(UNIT).settings : []).filter(
		({file, key}) => file !== UNIT_FILE && !HARMLESS.test(key),
	);
	return (
		line &&
		printable(`${line.file}, line ${line.line}, changes the unit: ${line.key}=${line.value}`, 200)
	);
}

async function serviceFault({name, findFault}: InitSystem): Promise<string | undefined> {
	if (name !== 'systemd') {
		return findFault();
	}

	const {failure, stdout, stderr} = await run('systemctl', ['is-enabled', UNIT]);
	if (failure !== undefined) {
		return stderr;
	}

	const state = stdout.trim() || 'not there';
	if (state !== 'enabled') {
		return `${UNIT} is ${state}`;
	}

	const verified = await run('systemd-analyze', ['--man=no', 'verify', UNIT_FILE]);
	return verified.status === 0 || verified.status === undefined
		? undefined
		: `systemd-analyze: ${verified.stderr.split('\n')[0]}`;
}

const ID = 'loaders';
const TITLE = 'nothing else that runs at boot takes the rules away';

/**
 * The items of what else changes rules at boot, by the commands that it runs.
 * @param findings what a rehearsal has shown; undefined where there was none
 */
export function describeLoaders(
	loaders: readonly BootLoader[],
	findings: BootFindings | undefined,
): readonly Item[] {
	const {fatal, doubtful} = judgeLoaders(loaders, findings);
	return [
		fatal.length === 0
			? ok(ID, TITLE)
			: failed(
					...([ID, TITLE, `${joinTexts(fatal)}; ${describeMeanwhile()}`] as const),
					'Take these commands out; rules that they add can stay, in chains of their own',
				),
		...(doubtful.length === 0
			? []
			: [
					open(
						...([
							...['loaders-unknown', 'what other commands do to the rules is known'],
							joinTexts(doubtful),
						] as [string, string, string]),
						'See whether they may open ports, or remove rules',
					),
				]),
	];
}
