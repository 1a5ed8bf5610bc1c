import {existsSync} from 'node:fs';
import {Resvg} from '@resvg/resvg-js';
import {applyPalette, GIFEncoder, quantize} from 'gifenc';

/** Of Debian's fonts-dejavu-core: it has every sign of the wizard, and joins no two of them. */
const FONTS = ['DejaVuSansMono', 'DejaVuSansMono-Bold'].map(
	(name) => `/usr/share/fonts/truetype/dejavu/${name}.ttf`,
);

/** A picture that stays for some milliseconds. */
type Frame = {readonly svg: string; readonly milliseconds: number};

type Bitmap = {readonly width: number; readonly height: number; readonly pixels: Uint8Array};

/** @param scale pixels for each of the SVG's */
export function drawPng(svg: string, scale: number): Buffer {
	return render(svg, scale).asPng();
}

/** Colours enough for five inks with soft edges; the last stands for what did not change. */
const INKS = 63;

/** An animation that begins again after its end. Each frame holds only what differs from the one before. */
export function drawGif(frames: readonly Frame[]): Uint8Array {
	const bitmaps = frames.map(({svg}) => bitmapOf(svg));
	const palette = quantize(sample(bitmaps), INKS, {format: 'rgb565'});
	const gif = GIFEncoder();
	let before: Bitmap | undefined;
	for (const [index, bitmap] of bitmaps.entries()) {
		const {width, height, pixels} = bitmap;
		const indices = applyPalette(pixels, palette, 'rgb565');
		forget(indices, pixels, before?.pixels);
		gif.writeFrame(indices, width, height, {
			...(index === 0 ? {palette: [...palette, [0, 0, 0]], repeat: 0} : {}),
			delay: frames[index]?.milliseconds ?? 0,
			transparent: true,
			transparentIndex: palette.length,
			// Stays under the next one.
			dispose: 1,
		});
		before = bitmap;
	}

	gif.finish();
	return gif.bytes();
}

/** Makes transparent what lies outside of the window, and what is as it was. */
function forget(indices: Uint8Array, pixels: Uint8Array, before: Uint8Array | undefined): void {
	const [now, then] = [words(pixels), before && words(before)];
	for (const [index, pixel] of now.entries()) {
		// The fourth byte is how opaque it is.
		if (pixel >>> 24 < 128 || pixel === then?.[index]) {
			indices[index] = INKS;
		}
	}
}

function words(bytes: Uint8Array): Uint32Array {
	return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

/** Pixels of all frames, as many as one has. */
function sample(bitmaps: readonly Bitmap[]): Uint8Array {
	const all = bitmaps.map(({pixels}) => words(pixels));
	const taken = Uint32Array.from(all[0] ?? [], (_, index) => all[index % all.length]?.[index] ?? 0);
	return new Uint8Array(taken.buffer);
}

function bitmapOf(svg: string): Bitmap {
	const {width, height, pixels} = render(svg, 1);
	return {width, height, pixels: Uint8Array.from(pixels)};
}

function render(svg: string, scale: number) {
	const missing = FONTS.find((file) => !existsSync(file));
	if (missing !== undefined) {
		throw new Error(`${missing} is missing: apt-get install fonts-dejavu-core`);
	}

	return new Resvg(svg, {
		fitTo: {mode: 'zoom', value: scale},
		font: {
			loadSystemFonts: false,
			fontFiles: FONTS,
			defaultFontFamily: 'DejaVu Sans Mono',
			monospaceFamily: 'DejaVu Sans Mono',
		},
	}).render();
}
