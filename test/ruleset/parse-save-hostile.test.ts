import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {findChain, type Rule} from '../../source/ruleset/model.ts';
import {parseSave} from '../../source/ruleset/parse-save.ts';
import {countCalls} from '../_helpers/samples/count-calls.ts';
import {FOREIGN_IPV4} from '../_helpers/samples/samples.ts';

function read(line: string): Rule | undefined {
	const save = `*filter\n:INPUT ACCEPT [0:0]\n:other - [0:0]\n-A INPUT ${line}\nCOMMIT\n`;
	return findChain(parseSave(save, 4), 'filter', 'INPUT')?.rules[0];
}

/** What rules of other programs are made of, and whether we know it to the last. */
const pieces: ReadonlyArray<readonly [text: string, known: boolean]> = [
	['-s 10.0.0.0/8', true],
	['-i eth0', true],
	['-p tcp', true],
	['-m tcp --dport 22', true],
	['-m multiport --dports 1,2', true],
	['-m conntrack --ctstate NEW', true],
	['-m comment --comment "! -j DROP -m"', true],
	['! -d 10.0.0.1/32', false],
	['-o eth1', true],
	['-m tcp ! --sport 22', false],
	['-m conntrack --ctdir ORIGINAL', true],
	['-m conntrack --ctdir REPLY', false],
	['-m set --match-set constructor src', false],
	['-m set ! --match-set -x src', false],
	['-m string --string "-m" --algo bm', false],
	['-m recent --update --seconds 60 --name "-i"', false],
	['-m sctp --dport 80', true],
	['-m dccp --dport 80', false],
];

describe('parseSave', () => {
	it('knows a rule in full just when it knows each of its parts', () => {
		fc.assert(
			fc.property(fc.subarray([...pieces]), (parts) => {
				const rule = read(`${parts.map(([text]) => text).join(' ')} -j DROP`);
				expect(rule?.target).toEqual({kind: 'DROP'});
				const known =
					parts.every(([, known]) => known) &&
					parts.filter(([text]) => text.includes('--dport')).length < 2;
				expect(rule?.match.unknown === undefined).toBe(known);
			}),
			{numRuns: 1000},
		);
	});

	it('loses no word of what it does not know', () => {
		const rule = read('-m set --match-set toString src -m foo --bar "a b" ! --baz 1 -j DROP');
		expect(rule?.match).toEqual({
			unknown: [
				...['-m', 'set', '--match-set', 'toString', 'src'],
				...['-m', 'foo', '--bar', 'a b', '!', '--baz', '1'],
			],
		});
	});

	it.each([
		'-m tcp --dport 22 -m multiport --dports 22,80 -j DROP',
		'-m conntrack --ctstate NEW -m state --state ESTABLISHED -j DROP',
		'-m limit --limit 1/sec -m limit --limit 5/sec -j DROP',
		'-m multiport --dports 1,2 -m multiport --dports 2,3 -j DROP',
		'-m tcp --dport http -j DROP',
	])('does not claim to know %s', (line) => {
		expect(read(line)?.match.unknown).toBeDefined();
	});

	it('survives any text, and any damage to a save', () => {
		const damaged = fc
			.tuple(fc.nat(), fc.nat(40), fc.string({unit: 'binary', maxLength: 5}))
			.map(([place, length, text]) => {
				const at = place % FOREIGN_IPV4.length;
				return FOREIGN_IPV4.slice(0, at) + text + FOREIGN_IPV4.slice(at + length);
			});
		fc.assert(
			fc.property(fc.oneof(damaged, fc.string({unit: 'binary'})), (text) => {
				for (const {name, chains} of parseSave(text, 4).tables) {
					expect(typeof name).toBe('string');
					expect(chains.flatMap(({rules}) => rules).every(({target}) => target.kind)).toBe(true);
				}
			}),
			{numRuns: 1000},
		);
	});

	it('reads nothing from nothing', () => {
		expect(parseSave('', 4)).toEqual({family: 4, tables: []});
		expect(parseSave('-A INPUT -j DROP\n:INPUT DROP\nCOMMIT\n', 6)).toEqual({
			family: 6,
			tables: [],
		});
	});

	it('reads the rules of a large cluster one by one', () => {
		const chains = Array.from({length: 3000}, (_, index) => `KUBE-SVC-${index}`);
		const save = [
			'*filter',
			':INPUT ACCEPT [0:0]',
			...chains.map((name) => `:${name} - [0:0]`),
			...chains.flatMap((name) => [
				`-A INPUT -d 10.96.0.1/32 -p tcp -m comment --comment "default/x" -m tcp --dport 443 -j ${name}`,
				`-A ${name} -s 10.0.0.1/32 -j ACCEPT`,
			]),
			'COMMIT',
			'',
		].join('\n');
		const calls = countCalls(() => {
			expect(findChain(parseSave(save, 4), 'filter', 'INPUT')?.rules).toHaveLength(3000);
		});
		expect(calls).toBeLessThan(40 * save.split('\n').length);
	});
});
