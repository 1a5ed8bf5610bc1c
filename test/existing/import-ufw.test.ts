import {describe, expect, it} from 'vitest';
import {translateUfw, type UfwFiles} from '../../source/existing/import/ufw.ts';
import {readUserRules} from '../../source/existing/import/ufw-user-rules.ts';
import {printOpening} from '../../source/policy/opening.ts';

function files(tuples: readonly string[], more: Partial<UfwFiles> = {}): UfwFiles {
	const text = tuples
		.map((tuple) =>
			tuple.startsWith('-') ? `\n${tuple}\n` : `\n### tuple ### ${tuple}\n-A x -j y\n`,
		)
		.join('');
	return {
		userRules: {4: `*filter\n### RULES ###\n${text}\n### END RULES ###\nCOMMIT\n`, 6: ''},
		conf: 'ENABLED=yes\nLOGLEVEL=low\n',
		defaults: 'IPV6=yes\nDEFAULT_INPUT_POLICY="DROP"\nDEFAULT_OUTPUT_POLICY="ACCEPT"\n',
		framework: [],
		forwards: false,
		...more,
	};
}

function translate(tuples: readonly string[], more: Partial<UfwFiles> = {}) {
	const {openings, ...rest} = translateUfw(files(tuples, more));
	return {...rest, openings: openings.map(printOpening)};
}

/** Whether it is about a rule, and not about what ufw does by default. */
const isRule = ({text}: {readonly text: string}) => !text.startsWith('default: ');

const SSH = 'allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in';

describe('records of ufw', () => {
	it.each([
		[SSH, 'allow 22/tcp'],
		['allow tcp 22 0.0.0.0/0 any 0.0.0.0/0', 'allow 22/tcp'],
		['allow any 53 ::/0 any ::/0 in', 'allow 53'],
		['allow any any 0.0.0.0/0 any 0.0.0.0/0 in', 'allow from any'],
		['allow any any 0.0.0.0/0 any 10.0.0.0/8 in_eth0', 'allow in on eth0 from 10.0.0.0/8'],
		['limit_log tcp 80,443 0.0.0.0/0 any 0.0.0.0/0 in', 'limit log 80,443/tcp'],
		['allow udp 137,138 0.0.0.0/0 any 0.0.0.0/0 CIFS - in', 'allow CIFS (137,138/udp)'],
		[
			'allow tcp 80 0.0.0.0/0 any 10.1.2.3 Nginx%20Full - in',
			'allow from 10.1.2.3 to any app Nginx Full (80/tcp)',
		],
		['deny udp any 0.0.0.0/0 53 0.0.0.0/0 in', 'deny proto udp from any port 53'],
		['reject tcp 25 0.0.0.0/0 any 0.0.0.0/0 out', 'reject out 25/tcp'],
		[
			'route:allow tcp 80 10.0.0.2 any 0.0.0.0/0 in_eth0!out_eth1',
			'route allow in on eth0 out on eth1 proto tcp to 10.0.0.2 port 80',
		],
		[`${SSH} comment=776562206f6e6c79`, 'allow 22/tcp # web only'],
		[`${SSH} comment=1b5b324a`, 'allow 22/tcp # ?[2J'],
	])('%s', (tuple, text) => {
		expect(readUserRules(`### tuple ### ${tuple}\n`, 4)).toMatchObject([{rule: {text}}]);
	});

	it('of the same ports from several sources are one opening', () => {
		const web = (source: string) => `allow tcp 80,443 0.0.0.0/0 any ${source} in`;
		expect(
			translate([
				...[web('192.0.2.0/24'), web('198.51.100.7'), SSH, web('203.0.113.0/24')],
				'limit tcp 25 0.0.0.0/0 any 192.0.2.1 in',
				'limit tcp 25 0.0.0.0/0 any 192.0.2.2 in',
			]).openings,
		).toEqual([
			'80/tcp from 192.0.2.0/24, 198.51.100.7, 203.0.113.0/24',
			'443/tcp from 192.0.2.0/24, 198.51.100.7, 203.0.113.0/24',
			'22/tcp from 0.0.0.0/0',
			'25/tcp from 192.0.2.1, 192.0.2.2 limit',
		]);
	});

	it.each([
		'allow tcp 0 0.0.0.0/0 any 0.0.0.0/0 in',
		'allow tcp 22',
		'allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 sideways',
		'permit tcp 22 0.0.0.0/0 any 0.0.0.0/0 in',
		'allow tcp ssh 0.0.0.0/0 any 0.0.0.0/0 in',
	])('that make no sense: %s', (tuple) => {
		const {openings, untranslatable} = translate([
			SSH,
			tuple,
			'allow tcp 80 0.0.0.0/0 any 0.0.0.0/0 in',
		]);
		// It may have shut anything, so what comes behind it is not taken for granted.
		expect(openings).toEqual(['22/tcp from 0.0.0.0/0']);
		expect(untranslatable.map(({text}) => text)).toEqual([
			'allow 80/tcp',
			`### tuple ### ${tuple}`,
		]);
	});
});

describe('a translation', () => {
	it('is for one family where the rule is, and for both where it is in both', () => {
		const six = (port: number) => `### tuple ### allow tcp ${port} ::/0 any ::/0 in\n`;
		expect(
			translate([SSH], {userRules: {4: files([SSH]).userRules[4], 6: six(22) + six(80)}}).openings,
		).toEqual(['22/tcp', '80/tcp from ::/0']);
	});

	it('leaves IPv6 shut where ufw does', () => {
		const {openings, remarks} = translate([SSH], {
			userRules: {4: files([SSH]).userRules[4], 6: '### tuple ### allow tcp 80 ::/0 any ::/0 in\n'},
			defaults: 'IPV6=no\n',
		});
		expect(openings).toEqual(['22/tcp from 0.0.0.0/0']);
		expect(remarks).toContainEqual(expect.stringMatching(/all of IPv6/));
	});

	it.each([
		['DROP', 'drop'],
		['REJECT', 'reject'],
		['ACCEPT', 'reject'],
	])('takes the verdict from the default: %s', (policy, verdict) => {
		expect(translate([], {defaults: `DEFAULT_INPUT_POLICY="${policy}"\n`}).verdict).toBe(verdict);
	});

	it('offers the openings of other protocols', () => {
		const {untranslatable} = translate([
			'allow vrrp any 0.0.0.0/0 any 10.0.0.0/8 in_eth0',
			'allow ipv6 any 0.0.0.0/0 any 0.0.0.0/0 in',
			'deny gre any 0.0.0.0/0 any 0.0.0.0/0 in',
		]);
		expect(untranslatable.map(({effect}) => effect)).toEqual(['closes', 'closes']);
		expect(untranslatable.flatMap(({wider = []}) => wider.map(printOpening))).toEqual([
			'vrrp from 10.0.0.0/8 on eth0',
			'protocol 41',
		]);
	});

	it('names what leaves and what is forwarded', () => {
		const {untranslatable} = translate([], {
			defaults: 'DEFAULT_OUTPUT_POLICY="REJECT"\nDEFAULT_FORWARD_POLICY="DROP"\n',
			forwards: true,
		});
		expect(untranslatable.map(({text}) => text)).toEqual([
			'default: reject (outgoing)',
			'default: deny (routed)',
		]);
	});

	const bans = (count: number) =>
		Array.from({length: count}, (_, index) => `deny any any 0.0.0.0/0 any 203.0.113.${index} in`);
	const allowed = [22, 80, 443].map((port) => `allow tcp ${port} 0.0.0.0/0 any 0.0.0.0/0 in`);
	const OPEN = ['22/tcp', '80/tcp', '443/tcp'].map((text) => `${text} from 0.0.0.0/0`);

	it('keeps the openings and the bans where single addresses are banned ahead of them', () => {
		const {openings, blocked = [], untranslatable} = translate([...bans(40), ...allowed]);
		expect(openings).toEqual(OPEN);
		expect(blocked).toHaveLength(40);
		expect(blocked[9]).toEqual({family: 4, cidr: '203.0.113.9/32'});
		expect(untranslatable).toEqual([]);
	});

	it('blocks no address that is denied some ports alone, and names that', () => {
		const {openings, blocked, untranslatable} = translate([
			'deny tcp 22 0.0.0.0/0 any 203.0.113.9 OpenSSH - in',
			...allowed,
		]);
		expect(openings).toEqual(OPEN);
		expect(blocked).toEqual([]);
		expect(untranslatable).toEqual([
			{
				text: 'deny from 203.0.113.9 to any app OpenSSH (22/tcp)',
				why: 'openings know no exception for a few addresses; these can connect to 22/tcp',
				effect: 'opens',
			},
		]);
	});

	it('names the bans as one that come behind what allows them something', () => {
		const [first = '', ...others] = allowed;
		const {openings, blocked, untranslatable} = translate([first, ...bans(40), ...others]);
		expect(openings).toEqual(OPEN);
		expect(blocked).toEqual([]);
		expect(untranslatable).toEqual([
			{
				text: 'deny from 203.0.113.0, and 39 more like it',
				why: 'openings know no exception for a few addresses; these can connect to 80/tcp and 443/tcp',
				effect: 'opens',
			},
		]);
	});

	it.each<readonly [tuple: string, forwarding: Partial<UfwFiles>, effect: string | undefined]>([
		['route:allow tcp 80 10.0.0.2 any 0.0.0.0/0 in', {forwards: true}, undefined],
		[
			'route:allow tcp 80 10.0.0.2 any 0.0.0.0/0 in',
			{forwards: true, keepsForward: true},
			'closes',
		],
		['route:deny tcp 80 10.0.0.2 any 0.0.0.0/0 in', {forwards: true}, 'opens'],
		['route:deny tcp 80 10.0.0.2 any 0.0.0.0/0 in', {}, undefined],
		['deny tcp 25 0.0.0.0/0 any 0.0.0.0/0 out', {}, 'opens'],
		['allow tcp 25 0.0.0.0/0 any 0.0.0.0/0 out', {}, undefined],
		['allow esp any 0.0.0.0/0 any 0.0.0.0/0 in', {}, 'closes'],
		['allow tcp 80 10.1.2.3 any 0.0.0.0/0 in', {}, 'closes'],
	])('says what changes with %s, %j', (tuple, forwarding, effect) => {
		const {untranslatable} = translate([tuple], forwarding);
		expect(untranslatable.filter(isRule).map((one) => one.effect)).toEqual([effect]);
	});

	it('takes ufw at its word on logging', () => {
		expect(translate([]).log).toBe(true);
		expect(translate([], {conf: 'LOGLEVEL=off\n'}).log).toBe(false);
	});

	it('knows no patterns of interfaces, and shuts for each what one may be denied', () => {
		const {openings, untranslatable} = translate([
			'deny tcp 22 0.0.0.0/0 any 0.0.0.0/0 in_eth+',
			SSH,
			'allow tcp 80 0.0.0.0/0 any 0.0.0.0/0 in_wg+',
		]);
		expect(openings).toEqual([]);
		expect(untranslatable.map(({text}) => text)).toEqual([
			'allow 22/tcp',
			'allow in on wg+ proto tcp to any port 80',
		]);
	});

	it('passes over what is denied to a multicast address', () => {
		expect(
			translate([
				'deny any any 224.0.0.1 any 0.0.0.0/0 in',
				SSH,
				'allow udp 53 0.0.0.0/0 any 0.0.0.0/0 in',
			]).openings,
		).toEqual(['22/tcp from 0.0.0.0/0']);
	});
});

describe('rules of one’s own', () => {
	const shipped =
		'-A ufw-before-input -i lo -j ACCEPT\n-A ufw-before-input -p udp -d 224.0.0.251 --dport 5353 -j ACCEPT\n';
	const own = (name: string, ...lines: readonly string[]) => ({
		framework: [
			{name, family: 4 as const, shipped, text: `*filter\n${shipped}${lines.join('\n')}\nCOMMIT\n`},
		],
	});

	it('in before.rules come ahead of all others', () => {
		const {openings, untranslatable} = translate(
			[SSH, 'allow tcp 80 0.0.0.0/0 any 0.0.0.0/0 in'],
			own(
				'before.rules',
				'-A ufw-before-input -p tcp --dport 80 -m connlimit --connlimit-above 3 -j DROP',
				'-A ufw-before-input -p tcp --dport 8080 -j ACCEPT',
			),
		);
		expect(openings).toEqual(['8080/tcp from 0.0.0.0/0', '22/tcp from 0.0.0.0/0']);
		expect(untranslatable.map(({text, why}) => `${text}: ${why}`)).toEqual([
			expect.stringMatching(/^allow 80\/tcp: "before.rules: -A .*connlimit.*" stands before it/),
			expect.stringMatching(/^before.rules: -A .*connlimit/),
		]);
	});

	it('that deny a list of addresses close no port, and are to be accepted', () => {
		const line = '-A ufw-before-input -m set --match-set blacklist src -j DROP';
		const {openings, blocked, untranslatable} = translate([SSH], own('before.rules', line));
		expect(openings).toEqual(['22/tcp from 0.0.0.0/0']);
		expect(blocked).toEqual([]);
		expect(untranslatable).toEqual([
			{
				text: `before.rules: ${line}`,
				why: 'openings know no exception for a few addresses; these can connect to 22/tcp',
				effect: 'opens',
			},
		]);
		// All but those of a list are not a few.
		const inverse = own('before.rules', line.replace('--match-set', '! --match-set'));
		expect(translate([SSH], inverse).openings).toEqual([]);
	});

	it('in after.rules come behind them', () => {
		expect(translate([SSH], own('after.rules', '-A ufw-after-input -j DROP')).openings).toEqual([
			'22/tcp from 0.0.0.0/0',
		]);
	});

	it.each([
		['-A ufw-before-input -p icmp --icmp-type echo-request -j DROP', /TCP and UDP, not of icmp/],
		['-A ufw-before-forward -i eth0 -j ACCEPT', /only what comes in/],
		['-A POSTROUTING -s 10.0.0.0/8 -j MASQUERADE', /without ufw nothing does/],
		['-A ufw-before-input -p tcp --dport 80 -j other', /where it leads is not judged/],
		['-A ufw-before-input -p tcp --sport 53 -j ACCEPT', /no source port/],
		['-A ufw-before-input -p tcp -m limit --limit 3/min -j ACCEPT', /limit of its own/],
	])('are named: %s', (line, why) => {
		const {openings, untranslatable} = translate([], own('before.rules', line));
		expect(openings).toEqual([]);
		expect(untranslatable).toMatchObject([
			{text: `before.rules: ${line}`, why: expect.stringMatching(why)},
		]);
	});

	it.each([
		'-A ufw-before-input -j LOG',
		'-A ufw-before-input -m conntrack --ctstate ESTABLISHED -j DROP',
	])('that decide on no new connection are not: %s', (line) => {
		expect(translate([SSH], own('before.rules', line)).untranslatable).toEqual([]);
	});

	it('typed into user.rules count too', () => {
		const {openings} = translate([
			'-A ufw-user-input -p tcp --dport 22 -s 10.0.0.0/8 -j DROP',
			'allow tcp 22 0.0.0.0/0 any 10.0.0.0/7 in',
			'-A ufw-user-input -p udp --dport 53 -j ACCEPT',
		]);
		expect(openings).toEqual(['22/tcp from 11.0.0.0/8', '53/udp from 0.0.0.0/0']);
	});

	it.each<readonly [line: string, forwarding: Partial<UfwFiles>, effect: string | undefined]>([
		['-A ufw-before-forward -i eth0 -j ACCEPT', {}, undefined],
		['-A ufw-before-forward -i eth0 -j ACCEPT', {forwards: true, keepsForward: true}, 'closes'],
		['-A ufw-before-forward -i eth0 -j DROP', {}, undefined],
		['-A ufw-before-forward -i eth0 -j DROP', {forwards: true}, 'opens'],
		['-A DOCKER-USER -j DROP -p tcp -d 172.16.0.0/12', {}, 'opens'],
		['-A DOCKER-USER -j RETURN -s 10.0.0.0/8', {forwards: true, keepsForward: true}, undefined],
		['-A ufw-before-output -d 192.0.2.0/24 -j REJECT', {}, 'opens'],
		['-A ufw-before-output -d 192.0.2.0/24 -j ACCEPT', {}, undefined],
		['-A PREROUTING -p tcp --dport 80 -j REDIRECT --to-port 8080', {}, 'closes'],
		['-A ufw-before-input -p icmp --icmp-type echo-request -j DROP', {}, 'opens'],
	])('%s, %j: %s', (line, forwarding, effect) => {
		const {untranslatable} = translate([], {...own('before.rules', line), ...forwarding});
		expect(untranslatable.filter(isRule).map((one) => one.effect)).toEqual([effect]);
	});

	it('that keep published ports closed, as ufw-docker writes them, open them where they go', () => {
		const {untranslatable} = translate([SSH], {
			...own(
				'after.rules',
				'-A DOCKER-USER -j ufw-user-forward',
				'-A DOCKER-USER -j RETURN -s 10.0.0.0/8',
				'-A DOCKER-USER -j ufw-docker-logging-deny -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -d 172.16.0.0/12',
				'-A ufw-docker-logging-deny -m limit --limit 3/min -j LOG',
				'-A ufw-docker-logging-deny -j DROP',
				'-A DOCKER-USER -j RETURN',
			),
			...{forwards: true, keepsForward: true, published: ['8080/tcp']},
		});
		expect(untranslatable.filter(({effect}) => effect !== undefined)).toEqual([
			{
				text: expect.stringMatching(/^after\.rules: -A DOCKER-USER -j ufw-docker-logging-deny/),
				why: 'forwarded connections that it blocks are no longer blocked: published ports of containers can be reached from everywhere, as 8080/tcp',
				effect: 'opens',
				elsewhere: true,
			},
		]);
	});

	it('are not known where there is nothing to compare with', () => {
		const framework = [{name: 'before.rules', family: 4 as const, text: shipped}];
		expect(translate([SSH], {framework}).untranslatable).toMatchObject([{text: 'before.rules'}]);
	});
});
