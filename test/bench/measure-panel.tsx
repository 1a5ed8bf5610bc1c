// Measures how long the wizard takes to draw after a key, with five hundred openings, drawing as the
// program does but into a terminal that takes every byte at once. Prints the figures as JSON.
import {PassThrough, Writable} from 'node:stream';
import {setTimeout as delay} from 'node:timers/promises';
import {render} from 'ink';
import type {Opening} from '../../source/policy/opening.ts';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {completePolicy, type Policy} from '../../source/policy/policy.ts';
import {OWN_SERVICES} from '../../source/policy/services.ts';
import {App} from '../../source/ui/app.tsx';
import {KeyStream} from '../../source/ui/keys/input-stream.ts';
import {startFlow} from '../../source/ui/state/state.ts';
import {CHECKER, MACHINE, UNABLE} from '../_helpers/ui/app-props.ts';
import {type Figure, median, milliseconds, quantile} from './statistics.ts';

const KEYS = 60;
const LIMIT = 16;
const DOWN = '\u001B[B';
/** The keys that lead there from Welcome. */
const WAYS = {rejection: [DOWN, DOWN, '\r', '\r'], ports: [DOWN, '\r']} as const;

const PLAIN = openings((index) => `${1001 + 2 * index}/tcp`);
const NETWORKS = openings(
	(index) => `${1001 + 2 * index}/tcp from 10.${index >> 8}.${index & 255}.0/24`,
);

function openings(text: (index: number) => string): readonly Opening[] {
	return parseOpenings(Array.from({length: 500}, (_, index) => text(index)).join(), OWN_SERVICES);
}

function figure(name: string, times: readonly number[]): Figure {
	const [middle, high] = [median(times), quantile(times, 0.95)];
	return {
		name,
		value: `${milliseconds(middle)}, 95 % in ${milliseconds(high)}`,
		limit: `${LIMIT} ms`,
		kept: middle <= LIMIT,
	};
}

/** The time from each key's arrival at Ink to the frame that it makes. */
async function measure(
	policy: Policy,
	step: keyof typeof WAYS,
	keyAt: (index: number) => string,
): Promise<readonly number[]> {
	const terminal = new Terminal();
	const source = new PassThrough();
	const keys = new KeyStream(source);
	let handed = 0;
	const write = keys.write.bind(keys) as (key: string) => boolean;
	keys.write = (key: string) => {
		handed = performance.now();
		return write(key);
	};
	const app = render(
		<App
			start={startFlow(policy, ['server', 'workstation'], OWN_SERVICES)}
			machine={MACHINE}
			families={[4, 6]}
			onApply={async () => ({ok: true, message: ''})}
			prover={UNABLE}
			checker={CHECKER}
			onTyping={(typing) => {
				keys.typing = typing;
			}}
			onHold={(held) => {
				keys.held = held;
			}}
			onDrawing={(drawing) => {
				keys.drawing = drawing;
			}}
			onSuspendable={() => {}}
			onRepaintable={() => {}}
		/>,
		{
			stdin: keys as unknown as NodeJS.ReadStream,
			stdout: terminal as unknown as NodeJS.WriteStream,
			exitOnCtrlC: false,
			interactive: true,
			alternateScreen: true,
			incrementalRendering: true,
			patchConsole: false,
		},
	);
	for (const key of WAYS[step]) {
		await terminal.frameAfter(() => source.write(key));
	}

	const times: number[] = [];
	for (let index = 0; index < KEYS; index++) {
		const drawn = await terminal.frameAfter(() => source.write(keyAt(index)));
		times.push(drawn - handed);
	}

	app.unmount();
	keys.stop();
	return times;
}

class Terminal extends Writable {
	readonly isTTY = true;
	readonly columns = 120;
	readonly rows = 40;
	#drawn: (() => void) | undefined;

	override _write(data: Buffer, _: BufferEncoding, done: () => void): void {
		// Besides frames there are modes and the marks around a frame: all of them short.
		if (data.length > 30) {
			this.#drawn?.();
		}

		done();
	}

	/** Lets what went before come to rest, does something, and tells when the next frame was written. */
	async frameAfter(action: () => void): Promise<number> {
		await delay(45);
		return new Promise((resolve, reject) => {
			const timer = setTimeout(() => reject(new Error('no frame')), 5000);
			this.#drawn = () => {
				this.#drawn = undefined;
				clearTimeout(timer);
				resolve(performance.now());
			};
			action();
		});
	}
}

const figures: Figure[] = [];
for (const [name, list] of [
	['500 ports', PLAIN],
	['500 ports, a network each', NETWORKS],
] as const) {
	const policy = completePolicy({role: 'server', openings: list});
	figures.push(
		figure(`${name}: next verdict`, await measure(policy, 'rejection', () => DOWN)),
		figure(`${name}: next opening`, await measure(policy, 'ports', () => DOWN)),
		figure(
			`${name}: a letter typed`,
			await measure(
				policy,
				'ports',
				(index) => '60001/tcp from 198.51.100.0/24, 60003/udp, 60005'[index % 48] ?? ',',
			),
		),
	);
}

console.log(JSON.stringify(figures));
process.exit();
