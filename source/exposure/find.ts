import type {Existing} from '../existing/cleanup-plan.ts';
import type {Facts} from '../host/machine/facts.ts';
import {missingProgram} from '../host/machine/packages.ts';
import {findListeners, findPublished} from '../host/sockets/listeners.ts';
import {findProtocolUses} from '../host/sockets/protocol-uses.ts';
import {rootCommandLine} from '../lib/command-line.ts';
import {asHostError, HostError} from '../lib/errors.ts';
import type {NamedVantagePoint} from '../proof/vantage-points.ts';
import type {CompiledPolicy} from '../ruleset/build.ts';
import {type RulesUnderTest, runningSource} from '../testbed/load-rules.ts';
import {type PlannedChange, sourceAfter} from '../testbed/planned-change.ts';
import {UNKNOWN_VISIBILITY, type VisibilityFrom} from './aggregate.ts';
import {derive} from './derive.ts';
import {type Measurement, measureExposure} from './measure.ts';
import type {Exposure} from './model.ts';
import {protocolRows} from './protocol-rows.ts';
import {exposedRows} from './rows.ts';
import {peculiaritiesOf} from './strip-rate-limits.ts';
import {describeUnprobed, findUncopied} from './unprobed-rules.ts';
import {planForExposure} from './vantage-points.ts';

/**
 * Finds what the outside can reach of this machine now, and what it could reach once the policy is
 * applied: through INPUT of both backends, through native nftables, and through forwarding to containers,
 * which bypasses INPUT. Sends packets to a copy of this machine where one can be made, and otherwise
 * derives it from the rules.
 * @param planned a policy, and what happens to the rules of other programs; absent: only what is
 * reachable now
 */
export async function findExposure(
	facts: Facts,
	planned: (CompiledPolicy & {readonly existing: Existing}) | undefined,
): Promise<Exposure> {
	const policy = planned?.policy;
	const [listeners, published, uses, running] = await Promise.all([
		findListeners(),
		findPublished(),
		findProtocolUses(),
		readRunning(facts).catch(asHostError),
	]);
	const {families, interfaces, iptables, session} = facts;
	const readable = running instanceof HostError ? undefined : running;
	const {vantagePoints, gaps} = await planForExposure(
		interfaces,
		families,
		policy,
		readable,
		session.kind === 'remote' ? session : undefined,
		new Set([...listeners, ...published].map(({address}) => address)),
	);
	const change: PlannedChange | undefined = planned && {
		ruleSet: planned.ruleSet,
		existing: planned.existing,
		backend: iptables?.backend,
	};
	const ports = [
		...listeners.map(({port}) => port),
		...published.flatMap(({port, last = port}) => [port, last]),
		...(policy?.openings ?? []).flatMap((opening) =>
			opening.kind === 'port' ? [opening.first, opening.last] : [],
		),
	];
	// Without a vantage point, no packets can be sent. What is not read says nothing of what it leaves open.
	const measured =
		vantagePoints.length === 0 || readable === undefined
			? undefined
			: await measureExposure(interfaces, vantagePoints, readable, iptables && change, ports).catch(
					asHostError,
				);
	const tried = measured instanceof HostError ? undefined : measured;
	const found = tried ?? (readable && deriveBoth(vantagePoints, readable, change));
	const visibilities = vantagePoints.map((vantagePoint, index): VisibilityFrom => {
		const after = found ? found.after?.[index] : change && UNKNOWN_VISIBILITY;
		return {
			...vantagePoint,
			before: found?.before[index] ?? UNKNOWN_VISIBILITY,
			...(after === undefined ? {} : {after}),
		};
	});
	return {
		rows: exposedRows(visibilities, listeners, published),
		protocols: protocolRows(visibilities, uses),
		tried: tried !== undefined,
		unread: [
			...(running instanceof HostError ? describeUnreadable(running, change) : []),
			...(measured instanceof HostError ? [`No packets were sent: ${measured.message}.`] : []),
			...(readable ? await describeHidden(readable, measured instanceof HostError) : []),
			...gaps,
			...(facts.root
				? []
				: ['Not root: the ports of containers are not known, nor the processes of others.']),
			...(change && !iptables
				? [`${missingProgram()} is not installed: before the policy can be applied, it must be.`]
				: []),
		],
	};
}

/** Reads the running rules. @throws {HostError} where they cannot be read */
async function readRunning({root, families, iptables}: Facts): Promise<RulesUnderTest> {
	if (!root) {
		throw new HostError('only root can', `Run: ${rootCommandLine('exposure')}`, 3, 'not-root');
	}

	return runningSource(families, iptables);
}

function deriveBoth(
	vantagePoints: readonly NamedVantagePoint[],
	running: RulesUnderTest,
	change: PlannedChange | undefined,
): Measurement {
	const planned = change && sourceAfter(running, change);
	return {
		before: vantagePoints.map((vantagePoint) => derive(vantagePoint, running)),
		after: planned && vantagePoints.map((vantagePoint) => derive(vantagePoint, planned)),
	};
}

function describeUnreadable(
	{message}: HostError,
	change: PlannedChange | undefined,
): readonly string[] {
	return [
		`The rules that are there now could not be read: ${message}.`,
		...(change ? ['What stays of them opens and closes ports after the change, too.'] : []),
	];
}

/** What decides on packets and cannot be judged for certain. @param derived from the rules alone, without packets */
export async function describeHidden(
	source: RulesUnderTest,
	derived: boolean,
): Promise<readonly string[]> {
	const {loads, nativeTables, unseen} = source;
	const uncopied = [...(await findUncopied(source)), ...describeUnprobed(source)];
	const peculiar = peculiaritiesOf(loads.map(({text}) => text));
	return [
		...(derived && nativeTables.length > 0
			? [`Tables of nftables are there and were not judged: ${nativeTables.join(', ')}.`]
			: []),
		...unseen.map((name) => `nft is not installed: ${name} may be there and were not seen.`),
		...(peculiar.length > 0
			? [`Some rules decide by ${peculiar.join(', ')}: at another time it may be otherwise.`]
			: []),
		...(uncopied.length > 0 ? [`Left out: ${uncopied.join('; ')}.`] : []),
	];
}
