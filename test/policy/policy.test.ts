import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {parsePolicy} from '../../source/policy/parse-policy.ts';
import {completePolicy, defaultPolicy, type Policy} from '../../source/policy/policy.ts';
import {policyToJson, printPolicy} from '../../source/policy/print-policy.ts';
import {OWN_SERVICES} from '../../source/policy/services.ts';
import {policies} from '../_helpers/samples/arbitraries.ts';
import {inputErrorOf} from '../_helpers/samples/errors.ts';

const read = (value: unknown) => parsePolicy(JSON.stringify(value), OWN_SERVICES);
const minimal = {version: 1, role: 'server'};

describe('defaultPolicy', () => {
	it('lets a server be reached by SSH, a workstation by nobody, and refuses aloud', () => {
		expect(policyToJson(defaultPolicy('server'))).toEqual({
			version: 1,
			role: 'server',
			verdict: 'reject',
			helpers: [],
			openings: ['22/tcp'],
			log: false,
		});
		expect(defaultPolicy('workstation').openings).toEqual([]);
	});
});

describe('completePolicy', () => {
	it('takes the recommended answers of the role for what is not said', () => {
		expect(completePolicy({})).toEqual(defaultPolicy('workstation'));
		expect(completePolicy({role: 'server'})).toEqual(defaultPolicy('server'));
		expect(completePolicy({role: 'server', verdict: undefined, openings: []})).toEqual({
			...defaultPolicy('server'),
			openings: [],
		});
	});

	it('takes what is not said from a base, even what the role would have otherwise', () => {
		const base: Policy = {...defaultPolicy('server'), verdict: 'drop', log: true, helpers: ['ftp']};
		expect(completePolicy({role: 'workstation'}, base)).toEqual({...base, role: 'workstation'});
		expect(completePolicy({log: false, helpers: []}, base)).toMatchObject({
			log: false,
			helpers: [],
		});
	});

	it('sorts helpers as the table does, each once, and changes nothing the second time', () => {
		const {helpers} = completePolicy({helpers: ['sip', 'ftp', 'sip']});
		expect(helpers).toEqual(['ftp', 'sip']);
		fc.assert(
			fc.property(policies(), (policy) => {
				expect(completePolicy(policy)).toEqual(policy);
				expect(completePolicy({}, policy)).toEqual(policy);
			}),
		);
	});
});

describe('parsePolicy', () => {
	it('reads the openings of earlier versions, which had one source each', () => {
		const openings = ['443/tcp from 192.0.2.1', '22/tcp', '443/tcp from 2001:db8::/32'];
		const text = JSON.stringify({version: 1, role: 'server', openings});
		expect(policyToJson(parsePolicy(text, new Map())).openings).toEqual([
			'443/tcp from 192.0.2.1, 2001:db8::/32',
			'22/tcp',
		]);
	});

	it('reads back every policy that is printed', () => {
		fc.assert(
			fc.property(policies(), (policy) => {
				expect(parsePolicy(printPolicy(policy), new Map())).toEqual(policy);
			}),
			{numRuns: 500},
		);
	});

	it('completes a file with what is recommended for the role', () => {
		expect(read(minimal)).toEqual({
			role: 'server',
			verdict: 'reject',
			helpers: [],
			openings: [{kind: 'port', protocol: 'tcp', first: 22, last: 22, limit: false}],
			log: false,
		});
	});

	it('takes openings in any form, merged', () => {
		const {openings} = read({...minimal, openings: ['ssh', '22/tcp', 'dns']});
		expect(openings).toMatchObject([
			{protocol: 'tcp', first: 22},
			{protocol: 'both', first: 53},
		]);
	});

	it.each<[string, unknown, string]>([
		['no version', {role: 'server'}, '"version" must be one of: 1'],
		['another version', {...minimal, version: 2}, '"version" must be one of: 1'],
		['a version as text', {...minimal, version: '1'}, '"version" must be one of: 1'],
		['no role', {version: 1}, '"role" must be one of: workstation, server'],
		['another role', {...minimal, role: 'router'}, '"role" must be one of: workstation, server'],
		['another case', {...minimal, role: 'Server'}, '"role" must be one of: workstation, server'],
		['another verdict', {...minimal, verdict: 'accept'}, 'must be one of: reject, reset, drop'],
		['null', {...minimal, verdict: null}, 'must be one of: reject, reset, drop'],
		['another helper', {...minimal, helpers: ['ftp', 'http']}, '"helpers.1" must be one of: ftp,'],
		['one helper', {...minimal, helpers: 'ftp'}, '"helpers" must be a list'],
		['one opening', {...minimal, openings: '22/tcp'}, '"openings" must be a list'],
		['a number', {...minimal, openings: [22]}, '"openings.0" must be a string'],
		['a list in it', {...minimal, openings: [['22']]}, '"openings.0" must be a string'],
		['a bad opening', {...minimal, openings: ['ssh', '70000']}, 'Port 70000 does not exist'],
		['a yes', {...minimal, log: 'yes'}, '"log" must be a boolean'],
		['a number for no', {...minimal, log: 0}, '"log" must be a boolean'],
		['an unknown field', {...minimal, port: 22}, 'has an unknown field: port'],
		['unknown fields', {...minimal, a: 1, b: 2}, 'has an unknown field: a, b'],
		['a list', [], 'The policy must be an object of fields'],
		['text', 'server', 'The policy must be an object of fields'],
		['null', null, 'The policy must be an object of fields'],
		['escapes', {...minimal, '\u001B[2J\u202E': 1}, 'has an unknown field: ?[2J?'],
	])('refuses %s', (_, value, message) => {
		const {message: said, hint} = inputErrorOf(() => read(value));
		expect(said).toContain(message);
		expect(hint).not.toBe('');
	});

	it('does not take a field named __proto__ for nothing', () => {
		const text = '{"version": 1, "role": "server", "__proto__": {"openings": ["22/tcp"]}}';
		expect(inputErrorOf(() => parsePolicy(text, OWN_SERVICES)).message).toContain('__proto__');
	});

	it('reads a file that begins with a byte order mark', () => {
		const text = '{"version": 1, "role": "server", "openings": ["22/tcp"]}';
		expect(parsePolicy(`\uFEFF${text}`, OWN_SERVICES)).toEqual(parsePolicy(text, OWN_SERVICES));
	});

	it.each(['', '{', '{"version": 1,', 'version: 1', "{'version': 1}", '\u0000', '\u001B[2J', '[}'])(
		'refuses %j, which is not JSON',
		(text) => {
			const {message, hint} = inputErrorOf(() => parsePolicy(text, OWN_SERVICES));
			expect(message).toContain('The policy is not JSON: ');
			expect(hint).toContain('fw-wizard rules --role server --format json');
		},
	);

	it('refuses every policy file that was cut short', () => {
		fc.assert(
			fc.property(policies(), fc.nat(), (policy, place) => {
				const whole = printPolicy(policy).trimEnd();
				const text = whole.slice(0, place % whole.length);
				expect(inputErrorOf(() => parsePolicy(text, new Map())).message).toContain('not JSON');
			}),
		);
	});
});

describe('printPolicy', () => {
	it('writes JSON that a person can edit', () => {
		expect(printPolicy({...defaultPolicy('server'), helpers: ['ftp']})).toBe(
			[
				'{',
				'\t"version": 1,',
				'\t"role": "server",',
				'\t"verdict": "reject",',
				'\t"helpers": [',
				'\t\t"ftp"',
				'\t],',
				'\t"openings": [',
				'\t\t"22/tcp"',
				'\t],',
				'\t"log": false',
				'}',
				'',
			].join('\n'),
		);
	});
});
