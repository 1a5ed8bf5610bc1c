import type {Terminal} from '../terminal/terminal.ts';

/** What is typed into the field of Ports. */
export const TYPED = 'ssh, 53, 8000-8010/tcp, 9100/tcp from 10.0.0.0/8';
/** The flags that say the same as the walk. */
export const FLAGS = [
	'--role',
	'server',
	'--verdict',
	'reject',
	'--helper',
	'ftp',
	'--open',
	TYPED,
];
/** Ports that it opens for everybody, and those for 10.0.0.0/8. */
export const OPEN = [22, 53, ...Array.from({length: 11}, (_, index) => 8000 + index)];
export const OPEN_INSIDE = [...OPEN, 9100];

const ROLE = 'What is this machine?';
/** Asked only where other programs have rules. */
const NEIGHBOURS = 'There are rules here already';
/** The proof takes seconds; Enter continues before it has ended. */
const PROOF = 'Does it do what you chose?';
const APPLY = 'Load these rules now?';

/** What each step asks, in their order; Enter leads from one to the next. */
export const QUESTIONS = [
	'A firewall for this machine',
	ROLE,
	'What happens to a connection',
	'Which old protocols',
	'What is let in?',
	'These are the rules',
	PROOF,
	APPLY,
] as const;

/** Goes to a step with Enter alone: a workstation, unless the flags say otherwise. @returns its frame */
export async function walkTo(
	terminal: Terminal,
	question: (typeof QUESTIONS)[number],
): Promise<string> {
	let frame = await terminal.waitFor(QUESTIONS[0]);
	for (const next of QUESTIONS.slice(1, QUESTIONS.indexOf(question) + 1)) {
		frame = await (next === ROLE ? goOnToRole(terminal) : goOn(terminal, next));
	}

	return frame;
}

/** From Welcome; where the machine has rules already, they are kept. @returns the frame of Role */
async function goOnToRole(terminal: Terminal): Promise<string> {
	terminal.press('enter');
	let frame = await terminal.waitFor((now) => now.includes(ROLE) || now.includes(NEIGHBOURS));
	while (frame.includes(NEIGHBOURS) && !/[❯>] Keep/.test(frame)) {
		const before = frame;
		terminal.press('down');
		frame = await terminal.waitFor((now) => now !== before);
	}

	return frame.includes(NEIGHBOURS) ? goOn(terminal, ROLE) : frame;
}

/** Presses Enter, and waits for the next step. @returns its frame */
export async function goOn(terminal: Terminal, next: (typeof QUESTIONS)[number]): Promise<string> {
	terminal.press('enter');
	return terminal.waitFor(next);
}

/** From Welcome to Ports, by the keys that a user presses: a server that rejects, with the FTP helper. */
export async function walkToPorts(terminal: Terminal): Promise<void> {
	await terminal.waitFor('A firewall for this machine');
	const role = await goOnToRole(terminal);
	terminal.press(
		...(/. Server/.exec(role)?.[0].startsWith(' ') ? (['down'] as const) : []),
		'enter',
	);
	await terminal.waitFor('What happens to a connection');
	terminal.press('enter');
	await terminal.waitFor('Which old protocols');
	terminal.press('space');
	await terminal.waitFor('[x] ftp');
	terminal.press('enter');
	await terminal.waitFor('What is let in?');
}

/** On to Review, with the openings typed and entered in one packet. */
export async function walkToReview(terminal: Terminal): Promise<void> {
	await walkToPorts(terminal);
	terminal.type(`${TYPED}\r`);
	await terminal.waitFor('Let in (4):');
	terminal.press('enter');
	await terminal.waitFor('[Rules]');
}

/** From Review through Apply: loads the rules and keeps them with the word. @returns the last frame */
export async function applyAndKeep(terminal: Terminal): Promise<string> {
	await goOn(terminal, PROOF);
	await goOn(terminal, APPLY);
	terminal.press('enter');
	await terminal.waitFor('type keep and press Enter');
	terminal.type('keep\r');
	return terminal.waitFor('Loaded and read back');
}

/** All lines of the view that Review shows, scrolled through from its beginning. */
export async function scrollThrough(terminal: Terminal): Promise<readonly string[]> {
	const found: string[] = [];
	for (;;) {
		const screen = terminal.screen();
		const lines = screen.split('\n');
		const start = lines.findIndex((line) => /\[(?:Rules|Restore file|Commands)\]/.test(line));
		const page = lines.slice(start + 1, -1);
		const above = Number(/(\d+) more above$/.exec(page[0] ?? '')?.[1] ?? 0);
		if (above > found.length) {
			throw new Error(`Lines were passed over\n${screen}`);
		}

		found.splice(
			above,
			found.length,
			...page.filter((line) => !/ more (?:above|below)$/.test(line)),
		);
		if (!page.some((line) => line.endsWith(' more below'))) {
			return found;
		}

		terminal.press('pageDown');
		await terminal.waitFor((now) => now !== screen);
	}
}
