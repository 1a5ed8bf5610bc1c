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
const NEIGHBOURS = 'There are rules already';
/** The proof takes seconds; Enter continues before it has ended. */
const PROOF = 'Does it do what you chose?';
const APPLY = 'Load these rules now?';

/** What only Home shows. */
const START_OVER = 'Start over';
/** What Welcome shows once it knows the machine. */
const WELCOME = 'Review this setup';
const REJECTION = 'What happens to a blocked connection';
const HELPERS = 'Which old protocols';
const REVIEW = 'This is what changes';

/** What each step asks, in their order. */
export const QUESTIONS = [
	WELCOME,
	ROLE,
	REJECTION,
	HELPERS,
	'Which ports should be open?',
	REVIEW,
	PROOF,
	APPLY,
] as const;
type Question = (typeof QUESTIONS)[number];

/** The steps that Welcome leads to only where each question is wanted. */
const ASKED: readonly Question[] = QUESTIONS.slice(1, QUESTIONS.indexOf(REVIEW));

/**
 * Goes to a step with the answers that are recommended, or that flags give: straight to Review and
 * what follows it, through the questions to one of them. @returns its frame
 */
export async function walkTo(terminal: Terminal, question: Question): Promise<string> {
	let frame = await openWelcome(terminal);
	const way: readonly Question[] = ASKED.includes(question)
		? ASKED.filter((one) => one !== HELPERS || question === HELPERS)
		: [REVIEW, PROOF, APPLY];
	for (const next of way.slice(0, way.indexOf(question) + 1)) {
		frame = await (next === way[0] ? leaveWelcome(terminal, next) : goOn(terminal, next));
	}

	return frame;
}

/** Waits for Welcome; where a firewall is active already, Home leads there. @returns its frame */
async function openWelcome(terminal: Terminal): Promise<string> {
	const frame = await terminal.waitFor((now) => now.includes(WELCOME) || now.includes(START_OVER));
	if (frame.includes(WELCOME)) {
		return frame;
	}

	await chooseInHome(terminal, START_OVER);
	return terminal.waitFor(WELCOME);
}

/** Moves to a choice of Home, and presses Enter. */
export async function chooseInHome(terminal: Terminal, choice: string): Promise<void> {
	await terminal.waitFor(START_OVER);
	while (
		!terminal
			.screen()
			.split('\n')
			.some((line) => /^\W*[❯>] /.test(line) && line.includes(choice))
	) {
		const before = terminal.screen();
		terminal.press('down');
		await terminal.waitFor((now) => now !== before);
	}

	terminal.press('enter');
}

/** From Welcome; where the machine has rules already, they are kept. @returns the frame of the next step */
async function leaveWelcome(terminal: Terminal, next: string): Promise<string> {
	if (next === ROLE) {
		terminal.press('down', 'down');
		await terminal.waitFor(/(?:[❯>]|selected:) Answer each question/);
	}

	terminal.press('enter');
	let frame = await terminal.waitFor((now) => now.includes(next) || now.includes(NEIGHBOURS));
	if (!frame.includes(NEIGHBOURS)) {
		return frame;
	}

	while (!/[❯>] Keep/.test(frame)) {
		const before = frame;
		terminal.press('down');
		frame = await terminal.waitFor((now) => now !== before);
	}

	terminal.press('enter');
	return terminal.waitFor(next);
}

/** Presses Enter, or the key that asks for helpers, and waits for the next step. @returns its frame */
export async function goOn(terminal: Terminal, next: Question): Promise<string> {
	if (next === ROLE) {
		return leaveWelcome(terminal, next);
	}

	if (next === APPLY) {
		// A proof that still runs is passed by a second Enter.
		terminal.press('enter');
		const frame = await terminal.waitFor(
			(now) => now.includes(APPLY) || now.includes('Press Enter again'),
		);
		if (!frame.includes(APPLY)) {
			terminal.press('enter');
		}

		return terminal.waitFor(APPLY);
	}

	if (next === HELPERS) {
		terminal.type('h');
		return terminal.waitFor(next);
	}

	const asksHelpers = terminal.screen().includes(HELPERS);
	terminal.press('enter');
	const frame = await terminal.waitFor(
		(now) => now.includes(next) || (!asksHelpers && now.includes(HELPERS)),
	);
	// It is asked where a flag has chosen a helper, or a server was found.
	return frame.includes(next) ? frame : goOn(terminal, next);
}

/** Whether a frame is drawn for a width: the line behind the name of the machine is as long, and none longer. */
export function isDrawnFor(screen: string, columns: number): boolean {
	const lines = screen.split('\n');
	return (
		lines.some((line) => /[-─]$/.test(line) && line.length === columns - 1) &&
		lines.every((line) => line.replaceAll(/\p{M}/gu, '').length < columns)
	);
}

/** From Welcome to Ports, by the keys that a user presses: a server that rejects, with the FTP helper. */
export async function walkToPorts(terminal: Terminal): Promise<void> {
	await openWelcome(terminal);
	const role = await leaveWelcome(terminal, ROLE);
	terminal.press(
		...(/. Server/.exec(role)?.[0].startsWith(' ') ? (['down'] as const) : []),
		'enter',
	);
	await terminal.waitFor(REJECTION);
	await goOn(terminal, HELPERS);
	terminal.press('space');
	await terminal.waitFor('[x] ftp');
	terminal.press('enter');
	await terminal.waitFor('Which ports should be open?');
}

/** On to Review, with the openings typed and entered in one packet. */
export async function walkToReview(terminal: Terminal): Promise<void> {
	await walkToPorts(terminal);
	terminal.type(`${TYPED}\r`);
	await terminal.waitFor('Open (4):');
	terminal.press('enter');
	await terminal.waitFor('[Summary]');
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
		const start = lines.findIndex((line) =>
			/\[(?:Summary|Rules|Restore file|Commands)\]/.test(line),
		);
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
