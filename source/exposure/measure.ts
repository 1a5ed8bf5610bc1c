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
import {type Load, loadAll, type RulesUnderTest} from '../testbed/load-rules.ts';
import {mirrorForwarding} from '../testbed/mirror-host.ts';
import {type Testbed, withTestbed} from '../testbed/testbed.ts';
import type {Visibility} from './aggregate.ts';
import {isIptables, loadsOf, type PlannedChange} from './planned-change.ts';
import {withoutRateLimits, withSources} from './strip-rate-limits.ts';
import type {Place} from './viewpoints.ts';

export type Trial = {
	readonly before: readonly Visibility[];
	/** Absent without a planned change. */
	readonly after: readonly Visibility[] | undefined;
};

/** So many rules a kernel of two slow cores may pass packets by, in all: some ten seconds. */
const MAX_RULE_EVALUATIONS = 400_000_000;

/**
 * What is open from each place now, and what would be after a change: by packets to a copy of this
 * machine that also forwards what this machine forwards.
 * @param ports by which something listens or is published: they are tried in any case
 * @throws {HostError} where no copy can be made, or not of these rules
 */
export async function measureExposure(
	interfaces: readonly Interface[],
	places: readonly Place[],
	source: RulesUnderTest,
	change: PlannedChange | undefined,
	ports: readonly number[],
): Promise<Trial> {
	const running = forPlaces(source, places);
	const measure = async (testbed: Testbed) => {
		const {machine} = testbed;
		const there = new Set(places.map(({inInterface}) => inInterface));
		const routed = await mirrorForwarding(machine, interfaces, there, running);
		await loadAll(machine, running.loads.map(forNewcomers));
		const changes = change ? loadsOf(running, change) : [];
		const stretches = chooseStretches([...running.loads, ...changes], ports, places.length);
		const before = await look(testbed, places, stretches, routed);
		if (!change) {
			return {before, after: undefined};
		}

		// As they are, since what goes is named by its words.
		await loadAll(machine, [...running.loads.filter(isIptables), ...changes]);
		await relax(testbed, running, change);
		return {before, after: await look(testbed, places, stretches, routed)};
	};
	return withTestbed(interfaces, places, measure, {beyond: false});
}

function forPlaces(source: RulesUnderTest, places: readonly Place[]): RulesUnderTest {
	const sources = [...new Set(places.map((place) => place.source))];
	return {
		...source,
		loads: source.loads.map((load) =>
			isIptables(load) ? {...load, text: withSources(load.text, sources)} : load,
		),
	};
}

function forNewcomers(load: Load): Load {
	return {...load, text: withoutRateLimits(load.text)};
}

/** The same for what is loaded by now, ours and the others'. */
async function relax(
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

/** Stretches of ports within which no rule can tell one port from another; a packet tries each. */
function chooseStretches(
	loads: readonly Load[],
	ports: readonly number[],
	places: number,
): readonly PortRange[] {
	const texts = loads.map(({text}) => text);
	const all = texts.some((text) => COMPUTES.test(text))
		? Array.from({length: LAST_PORT}, (_, index) => onePort(index + 1))
		: cutPorts([...ports, ...texts.flatMap(numbersIn)].flatMap((port) => [port, port + 1]));
	const rules = texts.reduce(
		(count, text) => count + (text.match(/^(?:-A |\t\t)/gm)?.length ?? 0),
		1,
	);
	// Over TCP and UDP, before and after.
	const affordable = MAX_RULE_EVALUATIONS / (rules * places * 4);
	return all.length <= Math.max(affordable, 64)
		? all
		: all.filter(({first, last}) => ports.some((port) => first <= port && port <= last));
}

/** Rules that reckon with a port may tell any from any. */
const COMPUTES = /\bdport & | -m (?:u32|bpf) |@th,/;

/** Every number in the text of rules that may be a port, whatever it means there. */
function numbersIn(text: string): readonly number[] {
	return [...new Set(text.match(/\d+/g))].map(Number);
}

/** Sends a packet to the first port of each stretch, from each place. */
async function look(
	testbed: Testbed,
	places: readonly Place[],
	stretches: readonly PortRange[],
	routed: boolean,
): Promise<readonly Visibility[]> {
	const ports = joinRanges(stretches.map(({first}) => onePort(first)));
	const observations = await sweep(testbed, places, {ports, alike: stretches, follows: true});
	const seen = new Map(observations.map((one) => [one.vantagePoint, one]));
	return places.map((place) => sightOf(seen.get(place), stretches, routed));
}

function sightOf(
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
