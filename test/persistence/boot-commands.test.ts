import {describe, expect, test} from 'vitest';
import {followCommands} from '../../source/persistence/boot-loaders/follow.ts';
import type {Effect} from '../../source/persistence/boot-loaders/model.ts';

const FILES: Readonly<Record<string, string>> = {
	'/r/filter': '*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n',
	'/r/nat': '*nat\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n',
	'/r/names': '*filter\n-A INPUT -s example.com -j ACCEPT\nCOMMIT\n',
	'/r/runs': '*filter\n-A INPUT -M /tmp/x -j ACCEPT\nCOMMIT\n',
	'/r/empty': '',
	'/r/flush.nft': '#!/usr/sbin/nft -f\nflush ruleset\n',
	'/r/own.nft': 'table inet mine {\n\tchain in {\n\t\ttype filter hook input priority 0;\n\t}\n}\n',
	'/r/include.nft': 'include "/r/flush.nft"\n',
};
const follow = (text: string) =>
	followCommands([{file: '/f', line: 1, text}], {
		backend: 'nft',
		read: (file) => FILES[file],
	});
const effectsOf = (text: string): readonly Effect[] => follow(text).found.map(({effect}) => effect);

describe('a command removes our rules, decides on packets, or does neither', () => {
	test.each<readonly [string, readonly Effect[]]>([
		['iptables -F', ['removes']],
		['ip6tables -w -F INPUT', ['removes']],
		['iptables --table filter --flush', ['removes']],
		['/sbin/iptables -t raw -F', ['removes']],
		['iptables -F "$CHAIN"', ['removes']],
		['iptables -D INPUT -j FW-WIZARD-INPUT', ['removes']],
		['sudo -n iptables -F', ['removes']],
		['/usr/bin/env -i nice -n 5 iptables -F', ['removes']],
		['sh -c "sleep 1; iptables -F"', ['removes']],
		['(iptables -F &)', ['removes']],
		['A=$(iptables -F)', ['removes']],
		['iptables-legacy -F', ['decides']],
		['iptables -F FORWARD', ['other']],
		['iptables -t nat -F', ['decides']],
		['iptables -X; iptables -N mine', ['other', 'other']],
		['iptables -I INPUT -p tcp --dport 80 -j ACCEPT', ['decides']],
		['iptables -A FORWARD -i wg0 -j ACCEPT', ['other']],
		['iptables -t nat -A POSTROUTING -j MASQUERADE', ['other']],
		['iptables "$@"', ['unknown']],
		['iptables -nvL; iptables -S; iptables -C INPUT -j X; iptables -V', []],
		['iptables-restore </r/filter', ['removes']],
		['iptables-restore /r/filter', ['removes']],
		['iptables-restore -n -w 5 /r/filter', ['decides']],
		['cat /r/filter | iptables-restore', ['removes']],
		['iptables-save | sed s/a/b/ | iptables-restore', ['removes']],
		['iptables-restore <<E\n*filter\nCOMMIT\nE', ['removes']],
		['iptables-restore "$FILE"', ['removes']],
		['iptables-restore </r/nat', ['decides']],
		['iptables-restore </r/empty', ['other']],
		['iptables-restore </r/nothing', ['other']],
		['iptables-restore --test </r/filter', []],
		['nft flush ruleset', ['removes']],
		['nft flush ruleset inet', ['other']],
		["nft 'flush table ip filter'", ['removes']],
		['nft delete table inet mine', ['other']],
		['nft -f /r/flush.nft', ['removes']],
		['nft -f /r/include.nft', ['removes']],
		['nft -f /r/own.nft', ['decides']],
		['nft list ruleset', []],
		['ufw --force enable', ['unknown']],
		['ufw allow 22', []],
		['netfilter-persistent reload', ['removes']],
		['ipset create x hash:ip', ['other']],
		['ip netns exec blue iptables -F', []],
		['docker exec web iptables -F', []],
		['command -v iptables; which nft; echo iptables -F', []],
	])('%s', (text, effects) => {
		expect(effectsOf(text)).toEqual(effects);
	});
});

describe('a copy of this machine runs', () => {
	test('only what is whole: a plain sequence of known arguments', () => {
		const {found, plain} = follow(
			'#!/bin/sh -e\nPATH=/sbin\n[ -x /sbin/iptables ] || exit 0\niptables -F || true\niptables-restore </r/nat\nexit 0\niptables -X',
		);
		expect(plain).toBe(true);
		expect(found.map(({load}) => [load?.args, load?.text])).toEqual([
			[['-F'], ''],
			[[], FILES['/r/nat']],
		]);
	});

	test.each([
		'if true; then iptables -F; fi',
		'for i in 1 2; do iptables -A INPUT -j ACCEPT; done',
		'test -f /x && iptables -F',
		'iptables -C INPUT -j X || iptables -A INPUT -j X',
		'iptables -F &',
		'f() { iptables -F; }; f',
		'iptables-save | grep x | iptables-restore',
		'xargs iptables -F </x',
	])('not what its text does not decide: %s', (text) => {
		const {found, plain} = follow(text);
		expect(found.length).toBeGreaterThan(0);
		expect(plain && found.every(({load}) => load !== undefined)).toBe(false);
	});

	test.each([
		'iptables -A INPUT -s example.com -j ACCEPT',
		'iptables -M /tmp/x -A INPUT -j ACCEPT',
		'iptables --modp=/tmp/x -A INPUT -j ACCEPT',
		'iptables-restore --modprobe=/tmp/x </r/nat',
		'iptables-restore </r/names',
		'iptables-restore </r/runs',
		'iptables-apply /r/filter',
		'/tmp/iptables -A INPUT -j ACCEPT',
		'iptables-legacy -A INPUT -j ACCEPT',
		'nft -i',
	])('nothing that runs more, waits, or is another program: %s', (text) => {
		expect(follow(text).found.filter(({load}) => load !== undefined)).toEqual([]);
	});
});
