import {cutPorts, LAST_PORT, onePort, type PortRange} from '../lib/port-ranges.ts';
import {stretches} from '../ruleset/evaluate-ports.ts';
import type {RuleSet} from '../ruleset/model.ts';
import type {RulesUnderTest} from '../testbed/load-rules.ts';
import {numbersIn} from './measure.ts';

/** Every port by itself. */
export function everyPort(): readonly PortRange[] {
	return Array.from({length: LAST_PORT}, (_, index) => onePort(index + 1));
}

/** All ports, cut wherever a rule has a number: some are ports, and the others do no harm. */
export function stretchesOf({loads}: RulesUnderTest, ruleSet: RuleSet): readonly PortRange[] {
	const numbers = loads.flatMap(({text}) => portsIn(text.replaceAll(NO_PORTS, '')));
	const starts = stretches(ruleSet.families).map(({first}) => first);
	return cutPorts([...starts, ...numbers.flatMap((number) => [number, number + 1])]);
}

/** All numbers in the text of rules, hexadecimal ones as a whole and by their halves: u32 compares words. */
function portsIn(text: string): readonly number[] {
	const words = (text.match(/\b0x[\da-f]{1,8}\b/gi) ?? []).map(Number);
	return [...numbersIn(text), ...words.flatMap((word) => [word & 0xffff, word >>> 16])];
}

/** Comments of iptables-save with the date, and counters of packets. */
const NO_PORTS = /^#.*$|\[\d+:\d+\]|\bcounter packets \d+ bytes \d+/gm;
