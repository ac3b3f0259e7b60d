// sky.js - draws a flock with WebGL2: each boid is one point, and the fragment shader cuts the dart out of it
//
// The arrays of C go to the graphics card as they are. Trails are a picture of half the size, which fades from frame to frame.

/** @typedef {import("./flight.js").Frame} Frame */

/**
 * What to draw. fresh: whether the frame is another one than before. wayX, wayY: how far the boids still are from where the frame has them, in
 * widths and heights, for one that flies along that axis. length: of a dart, in CSS pixels. trails: 0 to 1. seconds: since the last draw.
 * @typedef {{ frame: Frame, fresh: boolean, wayX: number, wayY: number, length: number, trails: number, seconds: number }} View
 */

const SHORTEST_DART = 4; // pixels: a shorter one has no shape to see
const LARGEST_POINT = 96;

const BOIDS = `#version 300 es
precision highp float;
layout(location = 0) in uint x;
layout(location = 1) in uint y;
layout(location = 2) in uint heading;
uniform vec2 size, way, copied; // copied: 1 for the copies that stick out of the other side
uniform float point;
uniform mat3 palette;
flat out vec2 ahead;
flat out vec3 colour;
void main() {
  float angle = float(heading) * 9.58737992e-5;
  ahead = vec2(cos(angle), sin(angle));
  vec2 at = fract(vec2(x, y) * 2.3283064365e-10 - ahead * way);
  at += copied * (1.0 - 2.0 * step(0.5, at));
  // a point is left out when its middle is: the picture has a margin that nobody sees
  gl_Position = vec4((2.0 * at - 1.0) * size / (size + point), 0.0, 1.0);
  gl_PointSize = point;
  colour = vec3(1.0, ahead) * palette / 255.0;
}`;

const DART = `#version 300 es
precision highp float;
uniform float point;
flat in vec2 ahead;
flat in vec3 colour;
out vec4 pixel;
void main() {
  vec2 at = (gl_PointCoord - 0.5) * vec2(point, -point);
  float u = dot(at, ahead), v = dot(at, vec2(-ahead.y, ahead.x)), size = point / 1.25;
  // see boids__draw_dart in src/show/boids_pixels.h: how much of the pixel the two sides and the rear cover
  float side = clamp(min(0.296 * (0.56 * size - u) - 0.955 * abs(v) + 0.5, 0.592 * (0.56 * size - u)), 0.0, 1.0);
  float rear = clamp(0.840 * (u + 0.24 * size) + 0.542 * abs(v) + 0.5, 0.0, 1.0);
  vec3 paper = mix(colour, vec3(1.0), 0.45 * smoothstep(-0.3, 0.6, u / size)) * (v < 0.0 ? 0.8 : 1.0);
  pixel = vec4(paper, 1.0) * side * rear;
}`;

const DOT = `#version 300 es
precision highp float;
uniform float cover;
flat in vec2 ahead;
flat in vec3 colour;
out vec4 pixel;
void main() {
  float away = 2.0 * length(gl_PointCoord - 0.5);
  pixel = vec4(colour, 1.0) * cover * (1.0 - smoothstep(0.2, 1.0, away));
}`;

const WHOLE = `#version 300 es
out vec2 at;
void main() {
  at = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0;
  gl_Position = vec4(2.0 * at - 1.0, 0.0, 1.0);
}`;

const FADE = `#version 300 es
precision highp float;
uniform sampler2D before;
uniform float left;
in vec2 at;
out vec4 pixel;
void main() {
  // red fades first; the last step of a byte goes too, or grey would stay for ever
  pixel = max(texture(before, at) * vec4(left * 0.97, left * 0.98, left, left) - 0.003, 0.0);
}`;

const SKY = `#version 300 es
precision highp float;
uniform sampler2D trails;
uniform vec2 size;
in vec2 at;
out vec4 pixel;
void main() {
  vec2 away = (at - vec2(0.5, 0.55)) * size / max(size.x, size.y);
  vec3 sky = mix(vec3(0.027, 0.106, 0.145), vec3(0.004, 0.016, 0.040), smoothstep(0.0, 0.62, length(away)));
  sky += (fract(sin(dot(gl_FragCoord.xy, vec2(12.9898, 78.233))) * 43758.5453) - 0.5) / 255.0; // no bands
  vec4 trail = texture(trails, at);
  pixel = vec4(sky * (1.0 - 0.5 * trail.a) + trail.rgb, 1.0);
}`;

/** @param {WebGL2RenderingContext} gl @param {string} vertex @param {string} fragment */
function link(gl, vertex, fragment) {
  const program = /** @type {WebGLProgram} */ (gl.createProgram());
  for (const [kind, source] of /** @type {[number, string][]} */ ([
    [gl.VERTEX_SHADER, vertex],
    [gl.FRAGMENT_SHADER, fragment],
  ])) {
    const shader = /** @type {WebGLShader} */ (gl.createShader(kind));
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(`shader: ${gl.getProgramInfoLog(program)}`);
  return program;
}

export class Sky {
  /** Null where the browser has no WebGL2, or cannot compile the shaders. @param {HTMLCanvasElement} canvas @param {number[]} palette */
  static open(canvas, palette) {
    try {
      return new Sky(canvas, palette);
    } catch (error) {
      console.warn(`Drawn without the graphics card: ${error instanceof Error ? error.message : error}`);
      return null;
    }
  }

  /** @param {HTMLCanvasElement} canvas @param {number[]} palette */
  constructor(canvas, palette) {
    const gl = canvas.getContext("webgl2", {
      alpha: false,
      antialias: false,
      depth: false,
      powerPreference: "high-performance",
    });
    if (!gl) throw new Error("no WebGL2");
    this.gl = gl;
    this.canvas = canvas;
    this.palette = palette;
    this.ratio = 1;
    this.lost = false;
    canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault();
      this.lost = true;
    });
    canvas.addEventListener("webglcontextrestored", () => {
      this.lost = false;
      this.prepare();
      this.resize(this.width, this.height, this.ratio);
    });
    this.width = 1;
    this.height = 1;
    this.half = [1, 1]; // the size of the trails, in pixels
    this.size = -1; // of the flock that the vertex array describes
    this.prepare();
  }

  get name() {
    return "WebGL2";
  }

  prepare() {
    const { gl } = this;
    this.darts = link(gl, BOIDS, DART);
    this.dots = link(gl, BOIDS, DOT);
    this.fade = link(gl, WHOLE, FADE);
    this.sky = link(gl, WHOLE, SKY);
    for (const program of [this.darts, this.dots]) {
      gl.useProgram(program);
      gl.uniformMatrix3fv(gl.getUniformLocation(program, "palette"), false, this.palette);
    }
    this.boids = gl.createVertexArray();
    this.nothing = gl.createVertexArray();
    this.buffer = gl.createBuffer();
    this.size = -1;
    /** Two pictures of trails: one is read while the other is drawn. */
    this.trails = [0, 1].map(() => ({ texture: gl.createTexture(), frame: gl.createFramebuffer() }));
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA); // colours carry their alpha already
  }

  /** @param {number} width CSS pixels @param {number} height @param {number} ratio device pixels to one of them */
  resize(width, height, ratio) {
    const { gl } = this;
    this.width = width;
    this.height = height;
    this.ratio = ratio;
    this.canvas.width = Math.max(1, Math.round(width * ratio));
    this.canvas.height = Math.max(1, Math.round(height * ratio));
    this.half = [Math.max(1, this.canvas.width >> 1), Math.max(1, this.canvas.height >> 1)];
    for (const { texture, frame } of this.trails ?? []) {
      gl.bindTexture(gl.TEXTURE_2D, texture);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, this.half[0], this.half[1], 0, gl.RGBA, gl.UNSIGNED_BYTE, null);
      for (const [name, value] of [
        [gl.TEXTURE_MIN_FILTER, gl.LINEAR],
        [gl.TEXTURE_MAG_FILTER, gl.LINEAR],
        [gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE],
        [gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE],
      ])
        gl.texParameteri(gl.TEXTURE_2D, name, value);
      gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
      gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
    }
    this.clear();
  }

  /** Wipes the trails away. */
  clear() {
    const { gl } = this;
    for (const { frame } of this.trails ?? []) {
      gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
      gl.clearColor(0, 0, 0, 0);
      gl.clear(gl.COLOR_BUFFER_BIT);
    }
  }

  /** Sends the frame to the graphics card. @param {Frame} frame */
  send(frame) {
    const { gl } = this;
    gl.bindVertexArray(this.boids ?? null);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer ?? null);
    gl.bufferData(gl.ARRAY_BUFFER, frame.buffer, gl.STREAM_DRAW);
    if (this.size === frame.size) return;
    this.size = frame.size;
    for (const k of [0, 1, 2]) {
      gl.enableVertexAttribArray(k);
      gl.vertexAttribIPointer(k, 1, k < 2 ? gl.UNSIGNED_INT : gl.UNSIGNED_SHORT, 0, 4 * k * frame.size);
    }
  }

  /**
   * Draws the boids into what is bound, of this size in pixels.
   * @param {WebGLProgram} program @param {View} view @param {number[]} size @param {number} point
   */
  flock(program, view, size, point) {
    const { gl } = this;
    const at = (/** @type {string} */ name) => gl.getUniformLocation(program, name);
    gl.useProgram(program);
    gl.bindVertexArray(this.boids ?? null);
    gl.enable(gl.BLEND);
    gl.viewport(-point / 2, -point / 2, size[0] + point, size[1] + point);
    gl.uniform2f(at("size"), size[0], size[1]);
    gl.uniform2f(at("way"), view.wayX, view.wayY);
    gl.uniform1f(at("point"), point);
    // four times: a boid at the edge sticks out of the other side, and one in the corner out of all
    for (const [x, y] of [
      [0, 0],
      [1, 0],
      [0, 1],
      [1, 1],
    ]) {
      gl.uniform2f(at("copied"), x, y);
      gl.drawArrays(gl.POINTS, 0, view.frame.size);
    }
  }

  /** @param {View} view */
  draw(view) {
    const { gl, canvas } = this;
    if (this.lost || !this.trails || !this.half || !this.fade || !this.dots || !this.darts || !this.sky) return;
    if (view.fresh || this.size !== view.frame.size) this.send(view.frame);
    const length = Math.min(view.length * this.ratio, LARGEST_POINT / 1.25);
    const [next, before] = this.trails;
    if (view.seconds > 0) {
      gl.bindFramebuffer(gl.FRAMEBUFFER, next.frame);
      gl.viewport(0, 0, this.half[0], this.half[1]);
      gl.useProgram(this.fade);
      gl.disable(gl.BLEND);
      gl.bindVertexArray(this.nothing ?? null);
      gl.bindTexture(gl.TEXTURE_2D, before.texture);
      gl.uniform1f(
        gl.getUniformLocation(this.fade, "left"),
        view.trails > 0 ? Math.exp(-view.seconds / (0.75 * view.trails)) : 0,
      );
      gl.drawArrays(gl.TRIANGLES, 0, 3);
      if (view.trails > 0) {
        gl.useProgram(this.dots);
        gl.uniform1f(gl.getUniformLocation(this.dots, "cover"), 0.28);
        this.flock(this.dots, view, this.half, Math.max(2.5, length * 0.42));
      }
      this.trails.reverse();
    }
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.disable(gl.BLEND);
    gl.useProgram(this.sky);
    gl.bindVertexArray(this.nothing ?? null);
    gl.bindTexture(gl.TEXTURE_2D, this.trails[1].texture);
    gl.uniform2f(gl.getUniformLocation(this.sky, "size"), canvas.width, canvas.height);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    if (length >= SHORTEST_DART) {
      this.flock(this.darts, view, [canvas.width, canvas.height], length * 1.25);
    } else {
      gl.useProgram(this.dots);
      gl.uniform1f(gl.getUniformLocation(this.dots, "cover"), 0.9);
      this.flock(this.dots, view, [canvas.width, canvas.height], Math.max(1.5, length * 0.9));
    }
  }
}
