import type {Interface} from '../host/machine/interfaces.ts';
import {
	ALL_PORTS,
	cutPorts,
	joinRanges,
	LAST_PORT,
	onePort,
	type PortRange,
	subtractRanges,
} from '../lib/port-ranges.ts';
import {perProtocol} from '../policy/services.ts';
import {NO_PORTS} from '../proof/count-nft.ts';
import {sweepProtocols} from '../proof/protocols.ts';
import {type Observation, sweep} from '../proof/sweep.ts';
import type {NamedVantagePoint} from '../proof/vantage-points.ts';
import {stretches, type VantagePoint} from '../ruleset/evaluate-ports.ts';
import type {RuleSet} from '../ruleset/model.ts';
import {
	hasIngress,
	isIptables,
	type Load,
	loadAgain,
	loadAll,
	type RulesUnderTest,
} from '../testbed/load-rules.ts';
import {mirrorForwarding} from '../testbed/mirror-host.ts';
import {type PlannedChange, sourceAfter} from '../testbed/planned-change.ts';
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
	vantagePoints: readonly NamedVantagePoint[],
	source: RulesUnderTest,
	change: PlannedChange | undefined,
	ports: readonly number[],
): Promise<Measurement> {
	const running = asMeasured(source, vantagePoints);
	const after = change && asMeasured(sourceAfter(source, change), vantagePoints);
	const measure = async (testbed: Testbed) => {
		const {machine} = testbed;
		const routed = await mirrorForwarding(machine, interfaces, vantagePoints, running);
		await loadAll(machine, running.loads);
		const loads = [...running.loads, ...(after?.loads ?? [])];
		const stretches = chooseStretches(loads, ports, vantagePoints.length);
		const measureNow = async (loaded: RulesUnderTest) => {
			const seen = await measureStretches(testbed, vantagePoints, stretches, {
				routed,
				ingress: hasIngress(loaded),
			});
			const strangers = vantagePoints.filter(({kind}) => kind === 'anywhere');
			const protocols = await sweepProtocols(testbed, strangers);
			return seen.map((one, index) => {
				const vantagePoint = vantagePoints[index];
				return {...one, protocols: vantagePoint && protocols.get(vantagePoint)};
			});
		};
		const before = await measureNow(running);
		if (after === undefined) {
			return {before, after};
		}

		await loadAgain(machine, running, after);
		return {before, after: await measureNow(after)};
	};
	return withTestbed(interfaces, vantagePoints, measure, {beyond: false});
}

/** The same without rate limits, and without rules for other sources than the vantage points: there may be thousands. */
export function asMeasured(
	rules: RulesUnderTest,
	vantagePoints: readonly VantagePoint[],
): RulesUnderTest {
	const sources = [...new Set(vantagePoints.map(({source}) => source))];
	return {
		...rules,
		loads: rules.loads.map((load) => ({
			...load,
			text: withoutRateLimits(isIptables(load) ? withSources(load.text, sources) : load.text),
		})),
	};
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

/** Stretches of ports by their first ones. */
type Starts = ReadonlyMap<number, PortRange>;

export function startsOf(stretches: readonly PortRange[]): Starts {
	return new Map(stretches.map((stretch) => [stretch.first, stretch]));
}

/** The stretches that begin at these ports, to which a packet for each was sent. */
export function widen(ranges: readonly PortRange[], starts: Starts): readonly PortRange[] {
	return ranges.flatMap(({first, last}) =>
		Array.from({length: last - first + 1}, (_, index) => starts.get(first + index) ?? []).flat(),
	);
}

/** What one packet for each stretch shows of all ports. */
function visibilityFrom(
	observation: Observation | undefined,
	stretches: readonly PortRange[],
	routed: boolean,
): Visibility {
	const starts = startsOf(stretches);
	const {passed = NO_PORTS, sent} = observation ?? {};
	const untried = subtractRanges([ALL_PORTS], joinRanges(stretches));
	return {
		open: perProtocol((protocol) => joinRanges(widen(passed[protocol], starts))),
		unknown: {tcp: untried, udp: untried},
		forwarded:
			sent?.forwarded.flatMap(({port, ...rest}) =>
				widen([onePort(port)], starts).map((range) => ({...range, ...rest})),
			) ?? 'unknown',
		...(routed ? {} : {mayForwardMore: true}),
	};
}

/** Every port by itself. */
export function everyPort(): readonly PortRange[] {
	return Array.from({length: LAST_PORT}, (_, index) => onePort(index + 1));
}

/** All ports, cut wherever a rule has a number: some are ports, and the others do no harm. */
export function stretchesOf({loads}: RulesUnderTest, ruleSet: RuleSet): readonly PortRange[] {
	const numbers = loads.flatMap(({text}) => portsIn(text.replaceAll(NOT_PORTS, '')));
	const starts = stretches(ruleSet.families).map(({first}) => first);
	return cutPorts([...starts, ...numbers.flatMap((number) => [number, number + 1])]);
}

/** All numbers in the text of rules, hexadecimal ones as a whole and by their halves: u32 compares words. */
function portsIn(text: string): readonly number[] {
	const words = (text.match(/\b0x[\da-f]{1,8}\b/gi) ?? []).map(Number);
	return [...numbersIn(text), ...words.flatMap((word) => [word & 0xffff, word >>> 16])];
}

/** Comments of iptables-save with the date, and counters of packets. */
const NOT_PORTS = /^#.*$|\[\d+:\d+\]|\bcounter packets \d+ bytes \d+/gm;
