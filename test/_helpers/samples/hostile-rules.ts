/** A rule of another program, by its matches: what iptables-save prints of it is more than one line. */
type HostileRule = {readonly name: string; readonly match: readonly string[]};

const comment = (text: string) => ['-m', 'comment', '--comment', text];
const OPEN = '-A INPUT -p tcp -m tcp --dport 3306 -j ACCEPT';

/** Lines in a text that only iptables-save tells from lines of its own, by counters. */
export const HOSTILE: readonly HostileRule[] = [
	{name: 'a rule in a comment', match: comment(`a\n${OPEN}\nb`)},
	{name: 'a rule in the name of an interface', match: ['-i', 'e\n-A INPUT']},
	{name: 'a jump to our chain', match: comment('a\n-A INPUT -j FW-WIZARD-INPUT\nb')},
	{name: 'a rule with counters', match: comment(`a\n[0:0] ${OPEN}\n[0:0] b`)},
	{
		name: 'the end of the table, and another one',
		match: comment(
			`a\nCOMMIT\n# x\n*raw\n:OUTPUT ACCEPT [0:0]\n*filter\n:INPUT ACCEPT [0:0]\n${OPEN}\n`,
		),
	},
	{name: 'the end of the table in the name of an interface', match: ['-i', 'e\nCOMMIT\n*raw']},
	{
		name: 'whole rules in the name of a list',
		match: [
			...['-m', 'recent', '--set', '--name'],
			`a --mask 255.255.255.255 --rsource -j DROP\n${OPEN}\n-A INPUT -m recent --set --name b`,
		],
	},
	{name: 'an empty line, and a quote', match: comment('a"\n\n"b\\\n')},
];

/** Texts that look dangerous, and that iptables reads back as they are. */
export const ODD: readonly HostileRule[] = [
	{name: 'carriage returns', match: comment('a\rCOMMIT\r*raw\rb')},
	{name: 'line separators of Unicode', match: comment('a\u2028COMMIT\u2028b')},
	{name: 'an escape sequence', match: comment('\u001B[2Ja\tb')},
	{name: 'quotes, and what a shell reads', match: comment('a"b\\"c\' $(reboot) `id` \\')},
	{name: 'what printf reads', match: comment('%s%n\\n\\0')},
	{name: 'umlauts', match: comment('Zürich ✓')},
	{
		name: 'any bytes to search for',
		match: ['-m', 'string', '--algo', 'bm', '--hex-string', '|0a2d41000d22|'],
	},
	{name: 'the bytes of a filter', match: ['-m', 'u32', '--u32', '0>>22&0x3C@4=0x1,0xa']},
];
