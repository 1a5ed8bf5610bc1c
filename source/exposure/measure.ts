import type {Interface} from '../host/machine/interfaces.ts';
import {programOf} from '../host/netfilter/iptables.ts';
import {
	ALL_PORTS,
	cutPorts,
	joinRanges,
	LAST_PORT,
	onePort,
	type PortRange,
	subtractRanges,
} from '../lib/port-ranges.ts';
import {type Observation, sweep} from '../proof/sweep.ts';
import type {VantagePoint} from '../ruleset/evaluate-ports.ts';
import {hasIngress, type Load, loadAll, type RulesUnderTest} from '../testbed/load-rules.ts';
import {mirrorForwarding} from '../testbed/mirror-host.ts';
import {isIptables, loadsOf, type PlannedChange} from '../testbed/planned-change.ts';
import {type Testbed, withTestbed} from '../testbed/testbed.ts';
import type {Visibility} from './aggregate.ts';
import {withoutRateLimits, withSources} from './strip-rate-limits.ts';

/** What is reachable from each vantage point, in their order. */
export type Measurement = {
	readonly before: readonly Visibility[];
	/** Absent without a planned change. */
	readonly after: readonly Visibility[] | undefined;
};

/** A kernel on two slow cores takes some ten seconds for this many evaluations of a rule. */
const MAX_RULE_EVALUATIONS = 400_000_000;

/**
 * Measures what is open to each vantage point now, and what would be after a change: sends packets to a
 * copy of this machine that also forwards what this machine forwards.
 * @param ports where something listens or is published: packets are sent to these in any case
 * @throws {HostError} where no copy of this machine can be made, or it cannot load these rules
 */
export async function measureExposure(
	interfaces: readonly Interface[],
	vantagePoints: readonly VantagePoint[],
	source: RulesUnderTest,
	change: PlannedChange | undefined,
	ports: readonly number[],
): Promise<Measurement> {
	const running = withoutOtherSources(source, vantagePoints);
	const measure = async (testbed: Testbed) => {
		const {machine} = testbed;
		const present = new Set(vantagePoints.map(({inInterface}) => inInterface));
		const routed = await mirrorForwarding(machine, interfaces, present, running);
		await loadAll(
			machine,
			running.loads.map((load) => ({...load, text: withoutRateLimits(load.text)})),
		);
		const changes = change ? loadsOf(running, change) : [];
		const loads = [...running.loads, ...changes];
		const stretches = chooseStretches(loads, ports, vantagePoints.length);
		const measureNow = async () =>
			measureStretches(testbed, vantagePoints, stretches, {
				routed,
				ingress: hasIngress(running),
			});
		const before = await measureNow();
		if (!change) {
			return {before, after: undefined};
		}

		// Unchanged, with their rate limits: the change removes rules by their words.
		await loadAll(machine, [...running.loads.filter(isIptables), ...changes]);
		await removeRateLimits(testbed, running, change);
		return {before, after: await measureNow()};
	};
	return withTestbed(interfaces, vantagePoints, measure, {beyond: false});
}

/** The same without rules for other sources than the vantage points: there may be thousands. */
function withoutOtherSources(
	rules: RulesUnderTest,
	vantagePoints: readonly VantagePoint[],
): RulesUnderTest {
	const sources = [...new Set(vantagePoints.map(({source}) => source))];
	return {
		...rules,
		loads: rules.loads.map((load) =>
			isIptables(load) ? {...load, text: withSources(load.text, sources)} : load,
		),
	};
}

/** Replaces the loaded rules, our own and all others, by the same without rate limits. */
async function removeRateLimits(
	{machine}: Testbed,
	running: RulesUnderTest,
	change: PlannedChange,
): Promise<void> {
	const programs = new Set([
		...running.loads.filter(isIptables).map(({program}) => program),
		...change.ruleSet.families.map(({family}) => programOf(family, '-restore')),
	]);
	for (const program of programs) {
		const {stdout} = await machine.run(program.replace(/restore$/, 'save'), []);
		const text = withoutRateLimits(stdout);
		if (text !== stdout) {
			await loadAll(machine, [{program, args: ['-w', '10'], text}]);
		}
	}
}

/** Cuts the ports into stretches within which no rule can tell one port from another. */
function chooseStretches(
	loads: readonly Load[],
	ports: readonly number[],
	vantagePoints: number,
): readonly PortRange[] {
	const texts = loads.map(({text}) => text);
	const all = texts.some((text) => COMPUTES.test(text))
		? Array.from({length: LAST_PORT}, (_, index) => onePort(index + 1))
		: cutPorts([...ports, ...texts.flatMap(numbersIn)].flatMap((port) => [port, port + 1]));
	const rules = texts.reduce(
		(count, text) => count + (text.match(/^(?:-A |\t\t)/gm)?.length ?? 0),
		1,
	);
	// Four packets for each stretch: TCP and UDP, before the change and after it.
	const affordable = MAX_RULE_EVALUATIONS / (rules * vantagePoints * 4);
	return all.length <= Math.max(affordable, 64)
		? all
		: all.filter(({first, last}) => ports.some((port) => first <= port && port <= last));
}

/** A rule that computes with the port may tell each port from the next. */
const COMPUTES = /\bdport & | -m (?:u32|bpf) |@th,/;

/** All numbers in the text of rules. Some are ports, and the others do no harm. */
export function numbersIn(text: string): readonly number[] {
	return [...new Set(text.match(/\d+/g))].map(Number);
}

/** Sends a packet to the first port of each stretch, from each vantage point. */
async function measureStretches(
	testbed: Testbed,
	vantagePoints: readonly VantagePoint[],
	stretches: readonly PortRange[],
	{routed, ingress}: {readonly routed: boolean; readonly ingress: boolean},
): Promise<readonly Visibility[]> {
	const ports = joinRanges(stretches.map(({first}) => onePort(first)));
	const observations = await sweep(testbed, vantagePoints, {
		...{ports, ingress},
		alike: stretches,
		follows: true,
	});
	const seen = new Map(observations.map((one) => [one.vantagePoint, one]));
	return vantagePoints.map((one) => visibilityFrom(seen.get(one), stretches, routed));
}

/** What one packet for each stretch shows of all ports. */
function visibilityFrom(
	observation: Observation | undefined,
	stretches: readonly PortRange[],
	routed: boolean,
): Visibility {
	const starts = new Map(stretches.map((stretch) => [stretch.first, stretch]));
	const widen = ({first, last}: PortRange) =>
		Array.from({length: last - first + 1}, (_, index) => starts.get(first + index) ?? []).flat();
	const {passed = {tcp: [], udp: []}, forwarded} = observation ?? {};
	const untried = subtractRanges([ALL_PORTS], joinRanges(stretches));
	return {
		open: {tcp: joinRanges(passed.tcp.flatMap(widen)), udp: joinRanges(passed.udp.flatMap(widen))},
		unknown: {tcp: untried, udp: untried},
		forwarded:
			forwarded?.flatMap(({port, ...sent}) =>
				widen(onePort(port)).map((range) => ({...range, ...sent})),
			) ?? 'unknown',
		...(routed ? {} : {mayForwardMore: true}),
	};
}
